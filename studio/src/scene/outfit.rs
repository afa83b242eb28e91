//! What is worn, and its colours.

use crate::names::named;
use crate::vector::{Vec3, srgb};

named! {
    /// What is worn.
    Outfit {
        TShirt = "t-shirt", Sweater = "sweater", Suit = "suit", Hoodie = "hoodie",
        Sleeveless = "sleeveless top", Coat = "coat with a scarf", Striped = "striped shirt",
        Overalls = "pair of overalls",
    }
}

named! {
    /// The colour of what is worn.
    Color {
        Red = "red", Orange = "orange", Yellow = "yellow", Green = "green", Teal = "teal",
        Blue = "blue", Purple = "purple", Pink = "pink", White = "white", Black = "black",
        Gray = "gray", Brown = "brown",
    }
}

impl Color {
    pub(crate) fn color(self) -> Vec3 {
        srgb(match self {
            Self::Red => 0xC8202A,
            Self::Orange => 0xF07818,
            Self::Yellow => 0xF4CC20,
            Self::Green => 0x2A8A3A,
            Self::Teal => 0x149A98,
            Self::Blue => 0x2450C0,
            Self::Purple => 0x7030A8,
            Self::Pink => 0xF080B0,
            Self::White => 0xF4F4F0,
            Self::Black => 0x1E1E24,
            Self::Gray => 0x8C9098,
            Self::Brown => 0x7A4A28,
        })
    }
}
