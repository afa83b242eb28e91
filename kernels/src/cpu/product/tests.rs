//! Products and convolutions against their definitions.

use half::f16;

use super::*;
use crate::cpu::matrices::{Matrix, Transposed};
use crate::cpu::testing::{convolved, inner, noise, worst};
use crate::cpu::values::Values;
use crate::cpu::window_lines::WindowLines;
use crate::cpu::windows::{Exchanged, Geometry, Way, Windows};

/// Rows, columns, depth: one tile and less, edges, several blocks each way.
const SIZES: [[usize; 3]; 6] =
    [[1, 1, 1], [7, 5, 3], [33, 70, 400], [10, 32, 384], [130, 77, 800], [250, 1600, 20]];

fn turned(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|i| x[i % rows * columns + i / rows]).collect()
}

#[test]
fn it_equals_the_definition_however_the_sides_lie() {
    for [rows, columns, depth] in SIZES {
        let (a, b) = (noise(rows * depth, 1), noise(depth * columns, 2));
        let (a_t, b_t) = (turned(&a, rows, depth), turned(&b, depth, columns));
        let column = |j: usize| &b_t[j * depth..][..depth];
        let want: Vec<f64> = (0..rows * columns)
            .map(|i| inner(&a[i / columns * depth..][..depth], column(i % columns)))
            .collect();
        let sizes = Sizes { rows, depth, groups: 1, columns };
        let (a, a_t) = (Matrix::new(&a, depth), Transposed(Matrix::new(&a_t, rows)));
        let (b, b_t) = (Matrix::new(&b, columns), Transposed(Matrix::new(&b_t, depth)));
        for simd in Simd::all() {
            let mut out = [(); 3].map(|()| vec![f32::NAN; want.len()]);
            product_with(simd, sizes, &a, &b, Start::Zero, &mut out[0]);
            product_with(simd, sizes, &a, &b_t, Start::Zero, &mut out[1]);
            product_with(simd, sizes, &a_t, &b, Start::Zero, &mut out[2]);
            assert!(worst(&out[0], &want) < 2e-6, "{rows} {columns} {depth} {simd:?}");
            assert!(out[0] == out[1] && out[0] == out[2], "{rows} {columns} {depth} {simd:?}");
        }
    }
}

#[test]
fn half_precision_is_widened_exactly() {
    let half: Vec<f16> = noise(50 * 70, 3).into_iter().map(f16::from_f32).collect();
    let wide: Vec<f32> = half.iter().map(|x| x.to_f32()).collect();
    let x = noise(9 * 50, 4);
    let sizes = Sizes { rows: 9, depth: 50, groups: 1, columns: 70 };
    let run = |values| {
        let mut out = vec![0.0; 9 * 70];
        let right = Matrix { values, stride: 70 };
        product(sizes, &Matrix::new(&x, 50), &right, Start::Zero, &mut out);
        out
    };
    assert!(run(Values::F16(&half)) == run(Values::F32(&wide)));
}

#[test]
fn it_starts_from_a_bias_or_from_what_is_there() {
    let (a, b) = (noise(6, 1), noise(12, 2));
    let (a, b) = (Matrix::new(&a, 3), Matrix::new(&b, 4));
    let sizes = Sizes { rows: 2, depth: 3, groups: 1, columns: 4 };
    let run = |start, mut out: Vec<f32>| {
        product(sizes, &a, &b, start, &mut out);
        out
    };
    let plain = run(Start::Zero, vec![9.0; 8]);
    let by_row = run(Start::Rows(&[1.0, 2.0]), vec![9.0; 8]);
    let by_column = run(Start::Columns(&[1.0, 2.0, 3.0, 4.0]), vec![9.0; 8]);
    let added = run(Start::Output, vec![9.0; 8]);
    for i in 0..8 {
        assert!((by_row[i] - plain[i] - (i / 4 + 1) as f32).abs() < 1e-6);
        assert!((by_column[i] - plain[i] - (i % 4 + 1) as f32).abs() < 1e-6);
        assert!((added[i] - plain[i] - 9.0).abs() < 1e-6);
    }
}

#[test]
fn the_bits_are_the_same_on_any_number_of_threads() {
    let (rows, columns, depth) = (300, 900, 500);
    let (a, b) = (noise(rows * depth, 1), noise(depth * columns, 2));
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let mut out = vec![0.0; rows * columns];
        let sizes = Sizes { rows, depth, groups: 1, columns };
        let (a, b) = (Matrix::new(&a, depth), Matrix::new(&b, columns));
        pool.install(|| product(sizes, &a, &b, Start::Zero, &mut out));
        out
    };
    assert!(on(1) == on(2) && on(1) == on(5));
}

/// Channels out and in, pictures, input, kernel, stride, padding before and after.
type Case = ((usize, usize), usize, (usize, usize), usize, usize, (usize, usize));
const CONVOLUTIONS: [Case; 7] = [
    ((7, 5), 2, (9, 11), 3, 1, (1, 1)),
    ((4, 20), 1, (16, 16), 3, 2, (1, 1)),
    ((8, 8), 1, (32, 32), 3, 1, (1, 1)),
    ((4, 3), 1, (7, 9), 3, 2, (0, 1)),
    ((5, 6), 3, (8, 8), 1, 1, (0, 0)),
    ((3, 45), 1, (8, 64), 3, 1, (1, 1)),
    ((2, 3), 1, (12, 10), 5, 3, (2, 2)),
];

fn geometry((_, _, input, kernel, stride, (before, after)): Case) -> Geometry {
    let size = |x: usize| (x + before + after - kernel) / stride + 1;
    let output = (size(input.0), size(input.1));
    Geometry { input, output, kernel, stride, padding: (before, before) }
}

#[test]
fn windows_make_convolutions_of_products() {
    for case in CONVOLUTIONS {
        let ((c_out, c_in), images, (height, width), kernel, ..) = case;
        let (geometry, taps) = (geometry(case), kernel * kernel);
        let x = noise(images * c_in * height * width, 3);
        let weight = noise(c_out * c_in * taps, 4);
        let want = convolved(&x, &weight, (c_out, c_in), images, geometry);
        let columns = geometry.output.0 * geometry.output.1;
        let sizes = Sizes { rows: c_out, depth: c_in * taps, groups: images, columns };
        let windows = Windows { x: &x, channels: c_in, geometry, way: Way::Forward };
        for simd in Simd::all() {
            let mut got = vec![f32::NAN; want.len()];
            let left = Matrix::new(&weight, c_in * taps);
            product_with(simd, sizes, &left, &windows, Start::Zero, &mut got);
            assert!(worst(&got, &want) < 2e-6, "{case:?} {simd:?}");
        }
    }
}

#[test]
fn their_gradients_are_their_transposes() {
    for case in CONVOLUTIONS {
        let ((c_out, c_in), images, (height, width), kernel, ..) = case;
        let (geometry, taps) = (geometry(case), kernel * kernel);
        let columns = geometry.output.0 * geometry.output.1;
        let x = noise(images * c_in * height * width, 5);
        let weight = noise(c_out * c_in * taps, 6);
        let dy = noise(images * c_out * columns, 7);
        let y = convolved(&x, &weight, (c_out, c_in), images, geometry);
        let y: Vec<f32> = y.into_iter().map(|y| y as f32).collect();
        for simd in Simd::all() {
            let mut dx = vec![f32::NAN; x.len()];
            let sizes =
                Sizes { rows: c_in, depth: c_out * taps, groups: images, columns: height * width };
            let left = Exchanged { values: Values::F32(&weight), c_in, taps };
            let right = Windows { x: &dy, channels: c_out, geometry, way: Way::Backward };
            product_with(simd, sizes, &left, &right, Start::Zero, &mut dx);
            let mut dw = vec![0.0; weight.len()];
            let sizes = Sizes { rows: c_out, depth: columns, groups: 1, columns: c_in * taps };
            for image in 0..images {
                let x = &x[image * c_in * height * width..][..c_in * height * width];
                let windows = Windows { x, channels: c_in, geometry, way: Way::Forward };
                let dy = Matrix::new(&dy[image * c_out * columns..], columns);
                product_with(simd, sizes, &dy, &WindowLines(windows), Start::Output, &mut dw);
            }
            // y is linear in x and in the weight, so all three are the same number.
            let sums = [inner(&y, &dy), inner(&x, &dx), inner(&weight, &dw)];
            let size = inner(&y, &y).max(inner(&dy, &dy)).max(1.0);
            assert!((sums[0] - sums[1]).abs() < 1e-5 * size, "{case:?} {simd:?}: {sums:?}");
            assert!((sums[0] - sums[2]).abs() < 1e-5 * size, "{case:?} {simd:?}: {sums:?}");
        }
    }
}
