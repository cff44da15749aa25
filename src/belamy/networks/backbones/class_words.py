"""Everyday words and ImageNet's classes: `cat` is none of the thousand, but five of them are cats.

ImageNet's classes stand in the order of WordNet's tree, so that what belongs together lies
together: most words are a range or a few.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from belamy.errors import UnknownName
from belamy.networks.backbones.imagenet import class_names
from belamy.spelling import nearest_names

__all__ = ["find_class", "near_classes"]

_MOST = 8  # classes to suggest

# Word → numbers of ImageNet classes, the most telling first: single ones, or (first, last).
_Ranges = tuple[int | tuple[int, int], ...]
_WORDS: dict[str, _Ranges] = {
    "animal": (207, 281, 291, 385, 340, 296, 130, 388, 352, 323),
    "ape": ((365, 369),),
    "apple": (948, 957, 956),
    "bag": (414, 748, 728, 636, 797),
    "ball": (805, 852, 574, 429, 430, 768, 890, 522, 722),
    "bear": ((294, 297), 388, 850),
    "bed": (564, 831, 520, 431, 516),
    "beetle": ((300, 307),),
    "bicycle": (444, 671, 870, 880),
    "bike": (671, 444, 665, 670, 870, 880),
    "bird": (130, 84, 22, 88, 15, 94, 145, 24, (7, 23), (80, 100), (127, 146)),
    "boat": (914, 484, 814, 472, 576, 625, 780, 871, 554, 628),
    "book": (917, 921, 453, 454, 624, 681),
    "bottle": (440, 737, 898, 907, 720),
    "bread": (930, 931, 932, 961),
    "bridge": (839, 821, 888, 718),
    "bug": (319, 323, 309, 301, 315, 310, 75, 308, (300, 326)),
    "building": (663, 668, 483, 497, 425, 449, 698, 832, 580),
    "bus": (779, 874, 654),
    "butterfly": ((321, 326),),
    "camel": (354, 355),
    "camera": (759, 732, 622),
    "car": (817, 511, 436, 627, 661, 656, 609, 751, 468),
    "cat": (281, 282, 283, 284, 285, 287, 383),
    "chair": (765, 559, 423, 857, 703),
    "chicken": (7, 8, 83),
    "church": (497, 663, 668, 442, 884),
    "clock": (892, 409, 530, 826, 531, 835, 604),
    "computer": (620, 527, 590, 664, 508, 673),
    "cow": (345, 346, 690, 347),
    "crab": ((118, 121), 125),
    "crocodile": (49, 50),
    "deer": (352, 353, 351, 350, 177),
    "dinosaur": (51, 48),
    "dog": (207, 235, 250, 231, 251, 254, 162, 258, (151, 268)),
    "duck": (97, 98, 137, 99),
    "eagle": (22, 21, 23),
    "elephant": (386, 385, 101),
    "fish": (1, 0, 393, 396, 397, 392, 391, 394, 395, 389, 390),
    "flower": (985, 986, 984, 883, 738, 108),
    "food": (963, 933, 928, 934, 959, 965, 964, 935, 962),
    "fox": ((277, 280),),
    "frog": ((30, 32),),
    "fruit": (949, 950, 951, 954, 953, 948, 952, 957, 955),
    "furniture": (526, 532, 765, 831, 894, 453, 493, 564),
    "glasses": (837, 836, 447),
    "guitar": (402, 546, 420),
    "hat": (515, 808, 439, 452, 433, 667, 793),
    "horse": (339, 603, 340),
    "house": (660, 448, 449, 425, 858, 698, 663, 915, 580),
    "insect": (319, 323, 309, 301, 315, 310, 311, 308, (300, 326)),
    "instrument": (889, 402, 579, 486, 513, 776, 594, 687, 558),
    "lizard": ((38, 48),),
    "lobster": (122, 123, 124),
    "monkey": ((370, 382),),
    "motorbike": (670, 665),
    "motorcycle": (670, 665),
    "mountain": (970, 980, 979, 672, 976),
    "mouse": (333, 338, 673),
    "mushroom": (947, (991, 997)),
    "ocean": (978, 973, 977, 976),
    "owl": (24,),
    "panda": (388, 387),
    "parrot": ((87, 90),),
    "penguin": (145,),
    "person": (981, 982, 983),
    "phone": (487, 528, 707),
    "piano": (579, 881, 687),
    "pig": (341, 342, 343, 719),
    "plane": (404, 895, 908, 726),
    "puppy": (207, 208, 258, 259, 162, 151),
    "kitten": (281, 285, 284, 283, 282),
    "rabbit": ((330, 332),),
    "rat": (333, 338, 673, 674),
    "road": (919, 920, 705, 829),
    "rocket": (657, 744, 812),
    "sea": (978, 973, 977, 150, 327),
    "seal": (150,),
    "shark": ((2, 4),),
    "sheep": (348, 349),
    "shell": (112, 117, 113),
    "ship": (628, 510, 403, 724, 780, 913),
    "shoe": (770, 630, 514, 774, 502, 788),
    "snake": ((52, 68),),
    "spider": ((72, 77), 815),
    "squirrel": (335, 382, 336),
    "star": (327, 995, 727),
    "table": (532, 736, 526, 846),
    "tent": (672, 915, 415),
    "train": (820, 466, 547, 565, 705),
    "tree": (990, 988, 952, 955),
    "truck": (867, 864, 569, 555, 717),
    "turtle": ((33, 37),),
    "vegetable": (937, 938, 943, 945, 944, 936, 939),
    "whale": ((147, 148),),
    "window": (904, 905, 799),
    "wolf": ((269, 271), 272),
    "worm": (110, 111, 912),
}
_SAME = {
    "aeroplane": "plane",
    "aircraft": "plane",
    "airplane": "plane",
    "automobile": "car",
    "beach": "sea",
    "blossom": "flower",
    "boot": "shoe",
    "bunny": "rabbit",
    "cap": "hat",
    "cock": "chicken",
    "cycle": "bicycle",
    "doggy": "dog",
    "fungus": "mushroom",
    "hen": "chicken",
    "hound": "dog",
    "jet": "plane",
    "kitty": "cat",
    "lily": "flower",
    "lorry": "truck",
    "man": "person",
    "orchid": "flower",
    "people": "person",
    "pony": "horse",
    "reptile": "lizard",
    "rooster": "chicken",
    "rose": "flower",
    "sailboat": "boat",
    "sailing ship": "ship",
    "serpent": "snake",
    "sofa": "bed",
    "street": "road",
    "sunflower": "flower",
    "telephone": "phone",
    "temple": "church",
    "toad": "frog",
    "tortoise": "turtle",
    "tower": "building",
    "tulip": "flower",
    "watch": "clock",
    "woman": "person",
    "yacht": "boat",
}


def find_class(name: str, classes: Sequence[str], network: str) -> int:
    """The number of the class that `name` names, or is.

    Args:
        name: in any case; of a class, or its number.
        classes: of the network, in order.
        network: its name, for messages.

    Raises:
        UnknownName: there is no such class; those that an everyday word may mean are said.
    """
    names = [known.lower() for known in classes]
    if name.lower() in names:
        return names.index(name.lower())
    if name.isdecimal() and len(name) < 10 and int(name) < len(names):
        return int(name)
    raise UnknownName(f"class of {network}", name, classes, near_classes(name, classes))


def near_classes(name: str, classes: Sequence[str]) -> tuple[str, ...]:
    """The classes that a word may mean, the nearest first; none where nothing is near.

    By meaning (of ImageNet's classes), then by a word of the class's name, then by spelling.

    Args:
        name: what was given for a class.
        classes: the names that there are.
    """
    word = name.strip().lower()
    ours = set(classes)
    forms = [word, *_singulars(word)]
    known = next((form for form in forms if _SAME.get(form, form) in _WORDS), None)
    meant = [] if known is None else _meaning(_WORDS[_SAME.get(known, known)])
    by_word = [
        one for one in classes if (set(forms) - {""}) & set(re.split(r"[\s'-]", one.lower()))
    ]
    close = nearest_names(word, classes)
    near = [one for one in meant if one in ours]
    found = near + by_word + (close if not near else [])
    return tuple(dict.fromkeys(found))[:_MOST]


def _singulars(word: str) -> list[str]:
    """What a plural may be of: `wolves`, `buses`, `cats`."""
    if word == "mice":
        return ["mouse"]
    endings = (("ves", "f"), ("ies", "y"), ("es", ""), ("s", ""))
    return [word[: -len(end)] + one for end, one in endings if len(word) > 3 and word.endswith(end)]


def _meaning(ranges: _Ranges) -> list[str]:
    names = class_names()
    found: list[str] = []
    for part in ranges:
        first, last = part if isinstance(part, tuple) else (part, part)
        found += names[first : last + 1]
    return found
