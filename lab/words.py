"""Common words, so that a prompt of a tiny model is fewer tokens than it has letters."""

from __future__ import annotations

_TEXT = """
the of and to in is you that it he was for on are as with his they at be this have from or one
had by word but not what all were we when your can said there use an each which she do how
their if will up other about out many then them these so some her would make like him into time
has look two more write go see number no way could people my than first water been call who
its now find long down day did get come made may part must should never always only also
any because before after between file files code function return class import def self name
value values type string list dict true false none print main test tests error data user
model models server request response message messages content role system assistant tool tools
call calls parameter parameters description required object array property properties text
line lines path command commands output input read run using used work working task tasks
example following following answer question please help give given result results need want
change changes edit create update delete open close start stop check project directory
folder language program context information instructions provide provided without within
"""
WORDS = tuple(_TEXT.split())
