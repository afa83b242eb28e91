//! How much of a person is in the picture, and from which side.

use crate::names::named;

named! {
    /// How much of the person the picture holds.
    Framing {
        CloseUp = "a close-up", Portrait = "a portrait", HalfFigure = "a half-figure photo",
    }
}

impl Framing {
    /// The picture's half height and its middle's height, in head units at the face.
    pub(crate) const fn view(self) -> [f32; 2] {
        match self {
            Self::CloseUp => [1.40, 0.06],
            Self::Portrait => [1.78, -0.22],
            Self::HalfFigure => [2.75, -1.10],
        }
    }
}

named! {
    /// Where the face points, by yaw; left and right are those of the picture.
    Angle {
        FarLeft = "in profile facing left", ThreeQuarterLeft = "in three-quarter view facing left",
        SlightLeft = "turned slightly left", Front = "facing the camera",
        SlightRight = "turned slightly right",
        ThreeQuarterRight = "in three-quarter view facing right",
        FarRight = "in profile facing right",
    }
}

impl Angle {
    /// The angle of a yaw in degrees, positive to the picture's right.
    pub fn of_yaw(yaw: f32) -> Self {
        let side = [Self::Front, Self::SlightRight, Self::ThreeQuarterRight, Self::FarRight];
        let step = [10.0, 28.0, 52.0].iter().filter(|limit| yaw.abs() >= **limit).count();
        match yaw < 0.0 {
            true => Self::ALL[3 - step],
            false => side[step],
        }
    }

    /// The middle of its range of yaws, in degrees.
    pub const fn yaw(self) -> f32 {
        match self {
            Self::FarLeft => -62.0,
            Self::ThreeQuarterLeft => -40.0,
            Self::SlightLeft => -19.0,
            Self::Front => 0.0,
            Self::SlightRight => 19.0,
            Self::ThreeQuarterRight => 40.0,
            Self::FarRight => 62.0,
        }
    }
}

named! {
    /// Where the face points, by pitch.
    Tilt { Down = "looking down", Level = "level", Up = "looking up" }
}

impl Tilt {
    /// The tilt of a pitch in degrees, positive upwards.
    pub fn of_pitch(pitch: f32) -> Self {
        match pitch {
            p if p < -10.0 => Self::Down,
            p if p > 10.0 => Self::Up,
            _ => Self::Level,
        }
    }
}
