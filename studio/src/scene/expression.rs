//! Expressions, and what they do to a face.

use crate::names::named;

named! {
    /// What a face does for a moment.
    Expression {
        Neutral = "neutral", Smile = "smiling", Laugh = "laughing", Sad = "sad", Angry = "angry",
        Surprised = "surprised", Wink = "winking", Disgusted = "disgusted", Asleep = "with closed eyes",
    }
}

/// How far each part of a face is moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Muscles {
    pub lids: [f32; 2], // opening of the character's right and left eye: 0 closed, 1 at rest
    pub lower_lid: f32, // 0 at rest .. 1 pushed up
    pub brow_inner: f32, // -1 down .. 1 up
    pub brow_outer: f32, // -1 down .. 1 up
    pub corners: f32,   // of the mouth, -1 down .. 1 up
    pub width: f32,     // of the mouth, 1 at rest
    pub open: f32,      // of the mouth, 0..1
    pub teeth: f32,     // 0 hidden .. 1 both rows
    pub sneer: f32,     // one side of the upper lip, 0..1
    pub cheeks: f32,    // raised, 0..1
    pub frown: f32,     // folds between the brows, 0..1
}

impl Muscles {
    const REST: Self = Self {
        lids: [1.0, 1.0],
        lower_lid: 0.0,
        brow_inner: 0.0,
        brow_outer: 0.0,
        corners: 0.05,
        width: 1.0,
        open: 0.0,
        teeth: 0.0,
        sneer: 0.0,
        cheeks: 0.0,
        frown: 0.0,
    };

    /// `self` moved towards `to`; beyond it where `amount` is above 1.
    pub(crate) fn toward(self, to: Self, amount: f32) -> Self {
        let mix = |a: f32, b: f32| a + (b - a) * amount;
        let lid = |i: usize| mix(self.lids[i], to.lids[i]).clamp(0.0, 1.6);
        Self {
            lids: [lid(0), lid(1)],
            lower_lid: mix(self.lower_lid, to.lower_lid).clamp(0.0, 1.0),
            brow_inner: mix(self.brow_inner, to.brow_inner),
            brow_outer: mix(self.brow_outer, to.brow_outer),
            corners: mix(self.corners, to.corners),
            width: mix(self.width, to.width),
            open: mix(self.open, to.open).clamp(0.0, 1.4),
            teeth: mix(self.teeth, to.teeth).clamp(0.0, 1.0),
            sneer: mix(self.sneer, to.sneer),
            cheeks: mix(self.cheeks, to.cheeks),
            frown: mix(self.frown, to.frown).clamp(0.0, 1.0),
        }
    }
}

impl Expression {
    /// The face at `strength`: 0 is neutral, 1 is clear, up to 1.6.
    pub(crate) fn muscles(self, strength: f32) -> Muscles {
        let rest = Muscles::REST;
        let full = match self {
            Self::Neutral => rest,
            Self::Smile => Muscles {
                corners: 1.15,
                width: 1.3,
                lower_lid: 0.35,
                cheeks: 0.8,
                open: 0.26,
                teeth: 0.7,
                lids: [0.9, 0.9],
                ..rest
            },
            Self::Laugh => Muscles {
                corners: 0.9,
                width: 1.3,
                open: 0.85,
                teeth: 0.7,
                lids: [0.22, 0.22],
                lower_lid: 0.85,
                cheeks: 1.0,
                brow_inner: 0.3,
                brow_outer: 0.35,
                ..rest
            },
            Self::Sad => Muscles {
                corners: -1.0,
                width: 0.88,
                brow_inner: 1.0,
                brow_outer: -0.75,
                lids: [0.68, 0.68],
                frown: 0.25,
                ..rest
            },
            Self::Angry => Muscles {
                corners: -0.45,
                width: 1.05,
                open: 0.32,
                teeth: 1.0,
                brow_inner: -1.15,
                brow_outer: 0.75,
                lids: [0.8, 0.8],
                lower_lid: 0.3,
                frown: 1.0,
                ..rest
            },
            Self::Surprised => Muscles {
                width: 0.62,
                open: 0.9,
                corners: -0.1,
                brow_inner: 1.1,
                brow_outer: 1.1,
                lids: [1.45, 1.45],
                ..rest
            },
            Self::Wink => Muscles {
                lids: [0.0, 1.05],
                corners: 0.85,
                width: 1.15,
                sneer: 0.25,
                cheeks: 0.6,
                brow_outer: 0.25,
                ..rest
            },
            Self::Disgusted => Muscles {
                sneer: 1.0,
                corners: -0.7,
                width: 0.95,
                open: 0.2,
                teeth: 0.8,
                lids: [0.45, 0.45],
                lower_lid: 0.75,
                brow_inner: -0.8,
                brow_outer: -0.2,
                frown: 0.8,
                cheeks: 0.4,
            },
            Self::Asleep => Muscles { lids: [0.0, 0.0], brow_inner: 0.2, corners: 0.15, ..rest },
        };
        rest.toward(full, strength)
    }
}
