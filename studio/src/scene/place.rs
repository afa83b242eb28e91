//! The places behind a person.

use crate::names::named;

named! {
    /// What is seen behind the person, out of focus.
    Place {
        Beach = "on a beach", Forest = "in a forest", City = "in a city street",
        Snow = "in the snow", Desert = "in a desert", Library = "in a library",
        Kitchen = "in a kitchen", Mountains = "in the mountains", Meadow = "in a flower meadow",
        Studio = "before a studio backdrop", Cafe = "in a cafe", Stage = "on a stage",
        Market = "at a market", Office = "in an office", Waterfall = "by a waterfall",
        Aquarium = "in an aquarium", Subway = "in a subway station",
        Bedroom = "in a bedroom", Park = "in an autumn park", BrickWall = "before a brick wall",
    }
}

impl Place {
    /// Whether there is open sky above it.
    pub const fn outdoors(self) -> bool {
        matches!(
            self,
            Self::Beach
                | Self::Forest
                | Self::City
                | Self::Snow
                | Self::Desert
                | Self::Mountains
                | Self::Meadow
                | Self::Waterfall
                | Self::Park
                | Self::Market
        )
    }
}
