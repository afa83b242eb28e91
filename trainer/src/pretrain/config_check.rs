//! Sizes that do not fit each other are refused before anything is rendered or learned.

use super::autoencoder::linear;
use super::config::{LatentReaderConfig, PretrainConfig, Training};
use super::latent_reader::SIDE;
use crate::error::TrainError;

impl PretrainConfig {
    /// Says which key has a value that cannot be.
    pub(super) fn validate(&self) -> Result<(), TrainError> {
        let wrong = |key: &'static str, reason: String| TrainError::Value { key, reason };
        let corpus = &self.corpus;
        if corpus.pictures_each == 0 || corpus.held_out_characters >= corpus.characters {
            let reason = format!(
                "is {}, with {} held out; at least one must be left to train on",
                corpus.characters, corpus.held_out_characters
            );
            return Err(wrong("corpus.characters", reason));
        }
        if !(0.0..=1.0).contains(&corpus.flawed) {
            let reason = format!("is {}; give 0 to 1", corpus.flawed);
            return Err(wrong("corpus.flawed", reason));
        }
        let factor = self.vae(1.0).factor() << (self.denoiser.channels.len().max(1) - 1);
        if corpus.side == 0 || !corpus.side.is_multiple_of(factor) {
            let reason = format!(
                "is {}, but pictures are halved until {factor} pixels are one; give a multiple of it",
                corpus.side
            );
            return Err(wrong("corpus.side", reason));
        }
        let divide = |groups: usize, channels: &[usize]| {
            groups > 0 && !channels.is_empty() && channels.iter().all(|c| *c > 0 && c % groups == 0)
        };
        if !divide(self.autoencoder.groups, &self.autoencoder.channels) {
            let reason = "must divide every entry of `autoencoder.channels`".into();
            return Err(wrong("autoencoder.groups", reason));
        }
        let vae = self.vae(1.0);
        if let Some(reason) = linear::fault(&vae) {
            return Err(wrong("autoencoder.channels", reason));
        }
        let square = self.autoencoder.square;
        let whole = square > 0 && square.is_multiple_of(vae.factor());
        if !whole || square > corpus.side {
            let reason = format!(
                "is {square}; give a multiple of {} of at most `corpus.side`, {}",
                vae.factor(),
                corpus.side
            );
            return Err(wrong("autoencoder.square", reason));
        }
        if !(0.0..=1.0).contains(&self.autoencoder.faces) {
            let reason = format!("is {}; give 0 to 1", self.autoencoder.faces);
            return Err(wrong("autoencoder.faces", reason));
        }
        let denoiser = &self.denoiser;
        if !divide(denoiser.groups, &denoiser.channels) {
            return Err(wrong(
                "denoiser.groups",
                "must divide every entry of `denoiser.channels`".into(),
            ));
        }
        let fits = |(heads, channels): (&usize, &usize)| *heads == 0 || channels % heads == 0;
        let pairs = denoiser.heads.iter().zip(&denoiser.channels);
        let all = denoiser.heads.len() == denoiser.channels.len() && pairs.into_iter().all(fits);
        if !all || denoiser.heads.last() == Some(&0) {
            let reason = "must have one entry a level, which divides its channels, or 0 for no transformers; the last level needs them".into();
            return Err(wrong("denoiser.heads", reason));
        }
        if !(0.2..=5.0).contains(&denoiser.timestep_power) {
            let reason = format!("is {}; give 0.2 to 5", denoiser.timestep_power);
            return Err(wrong("denoiser.timestep_power", reason));
        }
        if !(0.0..=1.0).contains(&denoiser.kept) || (denoiser.kept > 0.0 && self.from.is_none()) {
            let reason = format!("is {}; give 0 to 1, and 0 without `from`", denoiser.kept);
            return Err(wrong("denoiser.kept", reason));
        }
        if !(0.0..=1.0).contains(&denoiser.background) {
            let reason = format!("is {}; give 0 to 1", denoiser.background);
            return Err(wrong("denoiser.background", reason));
        }
        if self.text.heads == 0 || !self.text.width.is_multiple_of(self.text.heads) {
            return Err(wrong("text.heads", "must divide `text.width`".into()));
        }
        if !(3..=77).contains(&self.text.window) {
            let reason = format!("is {}; give 3 to 77", self.text.window);
            return Err(wrong("text.window", reason));
        }
        let (finder, identity, reader) = (&self.finder, &self.identity, &self.reader);
        let face_reader = &self.face_reader;
        let judges = [
            ("finder", &finder.trunk, finder.side),
            ("identity", &identity.trunk, identity.side),
            ("reader", &reader.trunk, corpus.side),
            ("face_reader", &face_reader.trunk, face_reader.side),
        ];
        for (key, trunk, side) in judges {
            if let Some(fault) = trunk.fault() {
                return Err(wrong(key, fault.into()));
            }
            let factor = trunk.factor();
            if side == 0 || !side.is_multiple_of(factor) {
                let reason = format!(
                    "looks at {side} pixels a side; its stages want a multiple of {factor}"
                );
                return Err(wrong(key, reason));
            }
        }
        if let Some(LatentReaderConfig { trunk, weight, .. }) = &self.latent_reader {
            if let Some(fault) = trunk.fault() {
                return Err(wrong("latent_reader", fault.into()));
            }
            if !SIDE.is_multiple_of(trunk.factor()) {
                let reason = format!(
                    "looks at {SIDE} pixels a side, which its stages halve to a fraction: give fewer `trunk.channels`"
                );
                return Err(wrong("latent_reader", reason));
            }
            if !(0.0..=10.0).contains(weight) {
                let reason = format!("is {weight}; give 0 to 10");
                return Err(wrong("latent_reader.weight", reason));
            }
        }
        if finder.trunk.channels.len() != 5 {
            return Err(wrong("finder", "needs five stages: `trunk.channels` has others".into()));
        }
        if identity.dimension == 0 || !(0.0..=2.0).contains(&identity.margin) {
            let reason = "needs a `dimension` above 0 and a `margin` of 0 to 2".into();
            return Err(wrong("identity", reason));
        }
        if !(-0.25..=2.0).contains(&face_reader.margin) {
            return Err(wrong("face_reader", "needs a `margin` of -0.25 to 2".into()));
        }
        let latent_reader = self.latent_reader.as_ref();
        let all = [("reader.axes", &reader.axes), ("face_reader.axes", &face_reader.axes)];
        let more = latent_reader.map(|reader| ("latent_reader.axes", &reader.axes));
        for (key, axes) in all.into_iter().chain(more) {
            if axes.is_empty() {
                return Err(wrong(key, "is empty; name what the reader tells".into()));
            }
        }
        let trainings = [
            ("autoencoder.train", self.autoencoder.train),
            ("text.train", self.text.train),
            ("denoiser.train", self.denoiser.train),
            ("finder.train", finder.train),
            ("identity.train", identity.train),
            ("reader.train", reader.train),
            ("face_reader.train", face_reader.train),
        ];
        let more = latent_reader.map(|reader| ("latent_reader.train", reader.train));
        for (key, training) in trainings.into_iter().chain(more) {
            let Training { steps, batch, save_every, learning_rate, .. } = training;
            let given =
                self.from.is_some() && ["autoencoder.train", "denoiser.train"].contains(&key);
            if (steps == 0 && !given)
                || batch == 0
                || save_every == 0
                || !(0.0..1.0).contains(&learning_rate)
            {
                let reason = "needs at least one step (autoencoder and denoiser none, with `from`), one picture a step, one step between states, and a learning rate below 1".into();
                return Err(wrong(key, reason));
            }
        }
        Ok(())
    }
}
