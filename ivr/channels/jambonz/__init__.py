"""jambonz: a voice platform that its users host themselves. It asks by webhook, and is answered with verbs in JSON."""
