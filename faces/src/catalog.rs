//! The models that need no TOML, known by the sha256 of their file.

use crate::card::{Channels, Kind};

/// A model that is known by its bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// The model's name.
    pub name: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// The usual name of its file.
    pub file: &'static str,
    /// The sha256 of the file, in hex.
    pub sha256: &'static str,
    /// The file's size in bytes.
    pub size_bytes: u64,
    /// The licence of the weights.
    pub licence: &'static str,
    /// Where the model comes from.
    pub source: &'static str,
    /// The hub repository that serves the file, where one does.
    pub hub: Option<&'static str>,
    /// The side of the square it reads, in pixels.
    pub input_size: u32,
    /// The order of its colour channels.
    pub channels: Channels,
    /// It reads `(value - mean) / scale` of values 0 to 255.
    pub mean: f32,
    /// See `mean`.
    pub scale: f32,
    /// The length of an encoder's answer; 0 for a detector.
    pub output_dimension: usize,
    /// The cosine below which an encoder takes two faces for two people: for
    /// SFace OpenCV's published threshold, for MobileFace between its
    /// impostors' .30 and the same person's .48 on photographs.
    pub same_person_cosine: f64,
}

/// Every known model, the preferred one of each kind first.
pub const MODELS: &[Known] = &[
    Known {
        name: "YuNet-n 640",
        kind: Kind::Detector,
        file: "yunet_n_640_640.onnx",
        sha256: "25a606a145a5b6d7271ae138fbd00eba91dad8b83222ae3f2c7ecd0f4a7b0e31",
        size_bytes: 317_466,
        licence: "Apache-2.0",
        source: "https://github.com/ShiqiYu/libfacedetection.train",
        hub: None,
        input_size: 640,
        channels: Channels::Bgr,
        mean: 0.0,
        scale: 1.0,
        output_dimension: 0,
        same_person_cosine: 0.0,
    },
    Known {
        name: "YuNet 2023mar",
        kind: Kind::Detector,
        file: "face_detection_yunet_2023mar.onnx",
        sha256: "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        size_bytes: 232_589,
        licence: "MIT",
        source: "https://github.com/opencv/opencv_zoo",
        hub: Some("opencv/face_detection_yunet"),
        input_size: 640,
        channels: Channels::Bgr,
        mean: 0.0,
        scale: 1.0,
        output_dimension: 0,
        same_person_cosine: 0.0,
    },
    Known {
        name: "YuNet-n 320",
        kind: Kind::Detector,
        file: "yunet_n_320_320.onnx",
        sha256: "81dbde155e982455488235acb8ec2dec5d647edf7cf7080d33e4abb69b93a0d2",
        size_bytes: 317_434,
        licence: "Apache-2.0",
        source: "https://github.com/ShiqiYu/libfacedetection.train",
        hub: None,
        input_size: 320,
        channels: Channels::Bgr,
        mean: 0.0,
        scale: 1.0,
        output_dimension: 0,
        same_person_cosine: 0.0,
    },
    Known {
        name: "MobileFace V2",
        kind: Kind::Encoder,
        file: "mobileface_V2_112.onnx",
        sha256: "8524af50b3a6b0e9fe5dc943db32483c7f5637953a92fb5d69181a7a40b73b25",
        size_bytes: 3_591_571,
        licence: "MIT",
        source: "https://github.com/becauseofAI/MobileFace",
        hub: None,
        input_size: 112,
        channels: Channels::Rgb,
        mean: 0.0,
        scale: 1.0,
        output_dimension: 256,
        same_person_cosine: 0.35,
    },
    Known {
        name: "SFace 2021dec",
        kind: Kind::Encoder,
        file: "face_recognition_sface_2021dec.onnx",
        sha256: "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        size_bytes: 38_696_353,
        licence: "Apache-2.0",
        source: "https://github.com/opencv/opencv_zoo",
        hub: Some("opencv/face_recognition_sface"),
        input_size: 112,
        channels: Channels::Rgb,
        mean: 0.0,
        scale: 1.0,
        output_dimension: 128,
        same_person_cosine: 0.363,
    },
];

/// The models that can be downloaded from a public hub, one of each kind.
pub fn downloadable() -> impl Iterator<Item = &'static Known> {
    MODELS.iter().filter(|known| known.hub.is_some())
}

/// The known model whose file has this sha256 (hex, lower case).
pub fn by_sha256(sha256: &str) -> Option<&'static Known> {
    MODELS.iter().find(|known| known.sha256 == sha256)
}

/// How early `sha256` comes in the catalogue; 0 is preferred.
pub(crate) fn rank(sha256: &str) -> usize {
    MODELS.iter().position(|known| known.sha256 == sha256).unwrap_or(MODELS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_is_complete_and_unique() {
        for (index, known) in MODELS.iter().enumerate() {
            assert_eq!(known.sha256.len(), 64, "{}", known.name);
            assert_eq!(rank(known.sha256), index, "{}", known.name);
            assert_eq!(known.kind == Kind::Encoder, known.output_dimension > 0, "{}", known.name);
        }
    }

    #[test]
    fn a_detector_and_an_encoder_can_be_downloaded() {
        let kinds: Vec<Kind> = downloadable().map(|known| known.kind).collect();
        assert_eq!(kinds, [Kind::Detector, Kind::Encoder]);
    }
}
