//! The named traits of a character: tones, colours and styles.

use crate::names::named;
use crate::vector::{Vec3, srgb};

named! {
    /// The tone of the skin, from light to dark.
    SkinTone {
        Porcelain = "porcelain", Fair = "fair", Rosy = "rosy", Beige = "beige", Olive = "olive",
        Tan = "tan", Amber = "amber", Brown = "brown", Umber = "umber", Ebony = "ebony",
    }
}

impl SkinTone {
    pub(crate) fn color(self) -> Vec3 {
        srgb(match self {
            Self::Porcelain => 0xFBE3D6,
            Self::Fair => 0xF4CDB4,
            Self::Rosy => 0xEDB59C,
            Self::Beige => 0xE3B48C,
            Self::Olive => 0xC9A071,
            Self::Tan => 0xC08A5C,
            Self::Amber => 0xA86C40,
            Self::Brown => 0x8C5632,
            Self::Umber => 0x6E4228,
            Self::Ebony => 0x553425,
        })
    }
}

named! {
    /// How the hair is worn.
    HairStyle {
        Bald = "bald", Buzz = "buzz cut", Crop = "short crop", SidePart = "side-parted hair",
        Quiff = "quiff", Spiky = "spiky hair", Mohawk = "mohawk", Afro = "afro",
        Curly = "curly hair", Bob = "bob", Fringe = "bob with a fringe", Long = "long hair",
        Wavy = "long wavy hair", Ponytail = "ponytail", Bun = "bun", SpaceBuns = "two buns",
        Pigtails = "pigtails", Braids = "two braids",
    }
}

named! {
    /// The colour of hair, brows and beard.
    HairColor {
        Black = "black", DarkBrown = "dark brown", Chestnut = "chestnut", Auburn = "auburn",
        Ginger = "ginger", Honey = "honey blond", Platinum = "platinum blond", Gray = "gray",
        White = "white", Blue = "blue", Pink = "pink", Green = "green", Purple = "purple",
    }
}

impl HairColor {
    pub(crate) fn color(self) -> Vec3 {
        srgb(match self {
            Self::Black => 0x1B1820,
            Self::DarkBrown => 0x3E2618,
            Self::Chestnut => 0x6E4026,
            Self::Auburn => 0x7E2A1A,
            Self::Ginger => 0xC65A1E,
            Self::Honey => 0xC99A4A,
            Self::Platinum => 0xEBDCB0,
            Self::Gray => 0x8A8D93,
            Self::White => 0xEDEEF2,
            Self::Blue => 0x2456C8,
            Self::Pink => 0xEC6AA8,
            Self::Green => 0x2E9A5A,
            Self::Purple => 0x7038B0,
        })
    }
}

named! {
    /// The colour of the iris.
    EyeColor {
        Brown = "brown", DarkBrown = "dark brown", Hazel = "hazel", Green = "green",
        Blue = "blue", Gray = "gray", Amber = "amber", Violet = "violet",
    }
}

impl EyeColor {
    pub(crate) fn color(self) -> Vec3 {
        srgb(match self {
            Self::Brown => 0x7A4420,
            Self::DarkBrown => 0x3A2012,
            Self::Hazel => 0x8E7838,
            Self::Green => 0x3E9450,
            Self::Blue => 0x3C86DC,
            Self::Gray => 0x8E9CA8,
            Self::Amber => 0xD08A20,
            Self::Violet => 0x8A5AC8,
        })
    }
}

named! {
    /// Hair on the face.
    FacialHair {
        None = "no beard", Stubble = "stubble", Moustache = "a moustache", Goatee = "a goatee",
        Short = "a short beard", Full = "a full beard", Sideburns = "sideburns",
    }
}

named! {
    /// What is worn before the eyes.
    Glasses {
        None = "no glasses", Round = "round glasses", Square = "square glasses",
        Wide = "wide glasses", Thin = "thin-rimmed glasses",
    }
}
