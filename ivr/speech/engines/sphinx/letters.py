"""How an English word may sound that no dictionary has: letter by letter, by rule.

A flow listens for "Contoso" or "Zendaro", and the dictionary of the speech model knows neither. Each rule is a regular
expression at one place of the word, and its phones in ARPAbet; the first that fits wins. The rules get about four of
five phones of common words right, which is enough to tell a name from the other choices (docs/speech.md).
"""

import re

# One line a letter or letter group: expression, then phones. `V` is a vowel letter, `C` a consonant letter.
_RULES = """
    a(?=r[^aeiouyr]|r$)      AA
    ar(?=e$|es$|i)           EH R
    air|are$                 EH R
    augh|aught               AO
    au|aw                    AO
    ai|ay|ae                 EY
    a(?=C[^aeiouylr]*le$)    EY
    alk                      AO K
    al(?=l)                  AO
    al(?=[dtmk])             AO L
    a(?=tion|sion|cious)     EY
    age$                     IH JH
    able$                    AH B AH L
    a(?=Ce$|Ces$|Ced$|Ci(?!c)|sty|nge|ste) EY
    (?<=w)a(?=[tnsd])        AA
    a$                       AH
    ^a(?=CV)                 AH
    a                        AE
    bb?                      B
    b$                       B
    sch(?=[mnltw])           SH
    tch                      CH
    ^ch(?=r)|ch(?=[lrnm])    K
    ch                       CH
    ck|cc(?![eiy])|cq        K
    c(?=ia|io|eo)            SH
    c(?=[eiy])               S
    c                        K
    dge?(?=[eiy]|$)          JH
    dd?                      D
    eigh                     EY
    ear(?=[nlt])             ER
    ear|eer|ere$             IH R
    ea(?=[dt]h|lth|sur)      EH
    ee|ea|ei|ie(?=[cflvdp])  IY
    eu|ew                    UW
    ey$|ie$|ies$             IY
    er(?=C|$)                ER
    er(?=V)                  EH R
    (?<=[td])ed$             IH D
    (?:(?<=[cfkpsx])|(?<=[sc]h))ed$ T
    ed$                      D
    (?:(?<=[szx])|(?<=[sc]h)|(?<=[cg]))es$ IH Z
    es$                      Z
    (?<=[a-z][a-z])e$        -
    e$                       IY
    e(?=Ce$|CV)              EH
    e(?=ment$|less$|ful$|ly$) -
    e                        EH
    ff?                      F
    ^gh                      G
    gh(?=t|$|C)              -
    gh                       G
    ^gn|gn$                  N
    gg                       G
    g(?=[eiy])               JH
    g                        G
    ^h|(?<=V)h(?=V)|(?<=C)h  HH
    h                        -
    igh                      AY
    ing                      IH NG
    ier$                     IY ER
    io(?=n|u)                IY AH
    ir(?=C|$)                ER
    ia|io                    IY OW
    ie                       IY
    i(?=nd$|ld$|gn|Ce$|Ces$|Ced$|cle$) AY
    i$                       IY
    i                        IH
    j                        JH
    ^kn                      N
    kk?                      K
    (?<=C)le$                AH L
    ll?                      L
    mb$                      M
    mm?                      M
    ng(?=[lrwae])            NG G
    ng|n(?=[kx])             NG
    nn?                      N
    ough(?=t)                AO
    ough                     AH F
    ould                     UH D
    ous$                     AH S
    ou|ow(?=n|C|er|el)       AW
    ow|oa|oe$                OW
    oo(?=k|d$|t$)            UH
    oo                       UW
    oy|oi                    OY
    or(?=C|$|e$|V)           AO R
    (?<=[tsc]i)on            AH N
    on$                      AH N
    o(?=ld|lt|st$|Ce$|Ces$|Ced$|$|[^aeiouyr][iaou]) OW
    o                        AA
    ph                       F
    ^ps                      S
    pp?                      P
    qu                       K W
    q                        K
    rh|rr|r                  R
    s(?=ure$|sion|sian)      SH
    (?<=V)sion               ZH AH N
    sh                       SH
    (?<=V)s(?=V|m$)          Z
    (?<=[bdglmnrvw])s$       Z
    ss|s                     S
    (?<!s)tion               SH AH N
    tial                     SH AH L
    tu(?=re|al)              CH
    th                       TH
    tt|t                     T
    ur(?=C|$)                ER
    ^u(?=CV)                 Y UW
    ui|ue                    UW
    u(?=Ce$|CV|$|Ces$|Ced$)  UW
    u                        AH
    vv?                      V
    ^wr                      R
    ^wh                      W
    w                        W
    ^x                       Z
    xx?                      K S
    ^y|(?<=V)y(?=V)          Y
    (?<=^C)y$|(?<=^CC)y$     AY
    yr(?=C)                  ER
    y(?=Ce$)                 AY
    y$|(?<=C)y(?=[aeiou])    IY
    y                        IH
    zz?                      Z
"""


_PAIRS = [(written, sounds) for written, *sounds in map(str.split, _RULES.strip().splitlines())]
_SOUNDS = [[sound for sound in sounds if sound != "-"] for _, sounds in _PAIRS]
_WRITTEN = re.compile(
    "|".join(f"({written})" for written, _ in _PAIRS).replace("V", "[aeiouy]").replace("C", "[bcdfghjklmnpqrstvwxz]")
)


def pronounced(word: str) -> str:
    """Return the phones of a word of the letters a to z."""
    found = _WRITTEN.finditer(word)
    return " ".join(sound for rule in found for sound in _SOUNDS[(rule.lastindex or 1) - 1])
