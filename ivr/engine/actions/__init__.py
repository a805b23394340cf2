"""The actions of the flow language, one file each; `base` is what the machine knows of them."""
