//! Fast convolutions against their definition.

use super::*;
use crate::cpu::testing::{convolved, inner, noise, worst};
use crate::cpu::windows::Geometry;

/// Output and input channels, pictures, height and width: one tile and several, odd sizes, more
/// channels than a block and than a depth.
type Case = ((usize, usize), usize, (usize, usize));
const CASES: [Case; 6] = [
    ((1, 1), 1, (1, 1)),
    ((3, 5), 2, (4, 4)),
    ((7, 4), 3, (13, 18)),
    ((17, 40), 1, (9, 33)),
    ((170, 3), 1, (8, 5)),
    ((2, 400), 1, (6, 6)),
];

fn geometry(plane: (usize, usize)) -> Geometry {
    Geometry { input: plane, output: plane, kernel: 3, stride: 1, padding: (1, 1) }
}

#[test]
fn it_equals_the_definition_on_every_set_of_vectors() {
    for (channels, images, plane) in CASES {
        let x = noise(images * channels.1 * plane.0 * plane.1, 3);
        let weight = noise(channels.0 * channels.1 * 9, 4);
        let want = convolved(&x, &weight, channels, images, geometry(plane));
        for simd in Simd::all() {
            let weight = Values::F32(&weight);
            let same = Same { x: &x, weight, channels, images, plane, way: Way::Forward };
            let mut got = vec![f32::NAN; want.len()];
            same.convolve_with(simd, Start::Zero, &mut got);
            let error = worst(&got, &want);
            assert!(error < 4e-6, "{channels:?} {images} {plane:?} {simd:?}: {error:e}");
        }
    }
}

#[test]
fn the_way_back_is_its_transpose() {
    for (channels, images, plane) in CASES {
        let pixels = images * plane.0 * plane.1;
        let (x, dy) = (noise(channels.1 * pixels, 5), noise(channels.0 * pixels, 6));
        let weight = noise(channels.0 * channels.1 * 9, 7);
        let weight = Values::F32(&weight);
        let (mut y, mut dx) = (vec![0.0; dy.len()], vec![0.0; x.len()]);
        let forward = Same { x: &x, weight, channels, images, plane, way: Way::Forward };
        forward.convolve(Start::Zero, &mut y);
        Same { x: &dy, way: Way::Backward, ..forward }.convolve(Start::Zero, &mut dx);
        let (there, back) = (inner(&y, &dy), inner(&x, &dx));
        let size = inner(&y, &y).max(inner(&dy, &dy)).max(1.0);
        assert!((there - back).abs() < 1e-5 * size, "{channels:?}: {there} and {back}");
    }
}

#[test]
fn it_starts_from_a_bias_or_from_what_is_there() {
    let (channels, plane) = ((3, 2), (5, 6));
    let (x, weight) = (noise(60, 1), noise(54, 2));
    let same =
        Same { x: &x, weight: Values::F32(&weight), channels, images: 1, plane, way: Way::Forward };
    let mut plain = vec![0.0; 90];
    same.convolve(Start::Zero, &mut plain);
    let mut biased = vec![0.0; 90];
    same.convolve(Start::Rows(&[1.0, 2.0, 3.0]), &mut biased);
    let mut twice = plain.clone();
    same.convolve(Start::Output, &mut twice);
    for (i, plain) in plain.iter().enumerate() {
        assert!((biased[i] - plain - (i / 30 + 1) as f32).abs() < 1e-6);
        assert!((twice[i] - 2.0 * plain).abs() < 1e-6);
    }
}

#[test]
fn the_bits_are_the_same_on_any_number_of_threads() {
    let (channels, plane) = ((70, 33), (30, 21));
    let (x, weight) = (noise(33 * 630, 8), noise(70 * 33 * 9, 9));
    let weight = Values::F32(&weight);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let same = Same { x: &x, weight, channels, images: 1, plane, way: Way::Forward };
        let mut out = vec![0.0; 70 * 630];
        pool.install(|| same.convolve(Start::Zero, &mut out));
        out
    };
    assert!(on(1) == on(3));
}
