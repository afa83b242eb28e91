//! A network of squares, run on rectangles: a photo of 4:3 in a square is a quarter of black.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::network::{Plan, plan};

/// The plans of one ONNX file by the width and the height of its input, made as they are asked for.
pub(crate) struct Shapes {
    bytes: Vec<u8>,
    plans: Mutex<HashMap<[u32; 2], Option<Plan>>>,
}

impl Shapes {
    /// Of the ONNX file in `bytes`.
    pub fn new(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), plans: Mutex::default() }
    }

    /// The plan for `width` x `height` pixels, of which `works` thinks so; `None` where the file is of
    /// squares alone.
    pub fn plan(
        &self,
        [width, height]: [u32; 2],
        works: impl FnOnce(&Plan) -> bool,
    ) -> Option<Plan> {
        // A plan is put in whole: what a panicking thread left is whole.
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let shape = [1, 3, height as usize, width as usize];
            plan(shape, &self.bytes).ok().filter(works)
        };
        plans.entry([width, height]).or_insert_with(make).clone()
    }
}
