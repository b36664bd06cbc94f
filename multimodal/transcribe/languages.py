"""The languages of Whisper, by their ISO 639-1 codes and by the English names that OpenAI's API gives them."""

from __future__ import annotations

_PAIRS = (
    "af:afrikaans am:amharic ar:arabic as:assamese az:azerbaijani ba:bashkir be:belarusian bg:bulgarian "
    "bn:bengali bo:tibetan br:breton bs:bosnian ca:catalan cs:czech cy:welsh da:danish de:german el:greek "
    "en:english es:spanish et:estonian eu:basque fa:persian fi:finnish fo:faroese fr:french gl:galician "
    "gu:gujarati ha:hausa he:hebrew hi:hindi hr:croatian hu:hungarian hy:armenian id:indonesian is:icelandic "
    "it:italian ja:japanese jw:javanese ka:georgian kk:kazakh km:khmer kn:kannada ko:korean la:latin "
    "lb:luxembourgish ln:lingala lo:lao lt:lithuanian lv:latvian mg:malagasy mi:maori mk:macedonian "
    "ml:malayalam mn:mongolian mr:marathi ms:malay mt:maltese my:myanmar ne:nepali nl:dutch nn:nynorsk "
    "no:norwegian oc:occitan pa:punjabi pl:polish ps:pashto pt:portuguese ro:romanian ru:russian sa:sanskrit "
    "sd:sindhi si:sinhala sk:slovak sl:slovenian sn:shona so:somali sq:albanian sr:serbian su:sundanese "
    "sv:swedish sw:swahili ta:tamil te:telugu tg:tajik th:thai tk:turkmen tl:tagalog tr:turkish tt:tatar "
    "uk:ukrainian ur:urdu uz:uzbek vi:vietnamese yi:yiddish yo:yoruba zh:chinese"
)
NAMES: dict[str, str] = dict(pair.split(":") for pair in _PAIRS.split())
_CODES = {name: code for code, name in NAMES.items()}


def name_of(code: str) -> str:
    """The language's name, or the code itself where it has none here."""
    return NAMES.get(code, code)


def code_of(told: str) -> str:
    """The code of a language that an API tells by its name or by its code."""
    return _CODES.get(told.casefold(), told.casefold())
