//! Small networks that look at pictures: they find faces, tell characters apart, read scenes.
//!
//! All are a [`trunk`] with a head of their own, trained by the loop of [`super::stage`] and written
//! as ONNX for the commands that judge pictures.

pub mod finder;
pub mod identity;
pub mod reader;
pub mod trunk;
mod views;
