//! AdamW against f64, and its two forms against each other.

use burn::backend::Flex;
use burn::tensor::Device;

use super::*;

const PLAIN: AdamWStep = AdamWStep {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weight_decay: 0.0,
    clip: None,
    learning_rate: 1e-3,
    number: 1,
};

/// Without and with clipping that bites, that does not, and decay.
fn cases() -> [AdamWStep; 4] {
    let clipped = |clip| AdamWStep { clip: Some(clip), ..PLAIN };
    [PLAIN, clipped(0.5), clipped(1e6), AdamWStep { weight_decay: 0.1, ..clipped(1.0) }]
}

/// More than two tasks of the passes over slices.
const LENGTH: usize = 40_000;

fn wave(frequency: f32) -> Vec<f32> {
    (0..LENGTH).map(|i| (i as f32 * frequency).sin()).collect()
}

fn flat(values: &[f32]) -> Tensor<1> {
    Tensor::from_floats(values, &Device::flex())
}

fn numbers(x: Tensor<1>) -> Vec<f32> {
    x.into_data().try_to_vec().expect("f32")
}

fn fresh(values: Vec<f32>) -> AdamWState {
    let zeros = flat(&vec![0.0; values.len()]);
    AdamWState { values: flat(&values), first: zeros.clone(), second: zeros }
}

/// `torch.optim.AdamW` in f64, over some steps: values and the last norm.
fn exact(step: AdamWStep, frequencies: &[f32]) -> (Vec<f64>, f64) {
    let mut values: Vec<f64> = wave(0.01).into_iter().map(f64::from).collect();
    let (mut first, mut second, mut norm) = (vec![0.0; LENGTH], vec![0.0; LENGTH], 0.0);
    for (t, frequency) in (1..).zip(frequencies) {
        let gradient = wave(*frequency).into_iter().map(f64::from);
        norm = gradient.clone().map(|g| g * g).sum::<f64>().sqrt();
        let clip = step.clip.map_or(1.0, |clip| (clip / (norm + 1e-6)).min(1.0));
        for (i, g) in gradient.map(|g| g * clip).enumerate() {
            first[i] = step.beta1 * first[i] + (1.0 - step.beta1) * g;
            second[i] = step.beta2 * second[i] + (1.0 - step.beta2) * g * g;
            let m = first[i] / (1.0 - step.beta1.powi(t));
            let v: f64 = second[i] / (1.0 - step.beta2.powi(t));
            values[i] *= 1.0 - step.learning_rate * step.weight_decay;
            values[i] -= step.learning_rate * m / (v.sqrt() + step.epsilon);
        }
    }
    (values, norm)
}

#[test]
fn several_steps_are_those_of_f64() {
    let frequencies = [0.37, 0.11, 0.53];
    for case in cases() {
        let (want, want_norm) = exact(case, &frequencies);
        let (mut state, mut norm) = (fresh(wave(0.01)), flat(&[]));
        for (number, frequency) in (1..).zip(frequencies) {
            let step = AdamWStep { number, ..case };
            (state, norm) = adamw(state, flat(&wave(frequency)), step);
        }
        assert_eq!(norm.dims(), [1]);
        let norm = norm.into_scalar::<f32>();
        assert!((f64::from(norm) / want_norm - 1.0).abs() < 1e-7, "{norm} against {want_norm}");
        for (got, want) in numbers(state.values).into_iter().zip(want) {
            assert!((f64::from(got) - want).abs() < 3e-7, "{case:?}: {got} against {want}");
        }
    }
}

#[test]
fn the_primitives_and_the_slices_agree() {
    for case in cases() {
        let step = AdamWStep { number: 7, ..case };
        let squares: Vec<f32> = wave(0.41).iter().map(|x| x * x).collect();
        let tensor = |values: &[f32]| {
            use burn::backend::ops::FloatTensorOps;
            let data = burn::tensor::TensorData::new(values.to_vec(), [LENGTH]);
            Flex::float_from_data(data, &Default::default())
        };
        let run = |f: fn(_, _, _, _, _) -> Stepped<Flex>| {
            let (values, first) = (tensor(&wave(0.11)), tensor(&wave(0.23)));
            let (p, m, v, norm) = f(values, first, tensor(&squares), tensor(&wave(0.37)), step);
            [p, m, v, norm].map(|x| x.into_data().try_to_vec::<f32>().expect("f32"))
        };
        let (slices, primitives) = (run(Flex::adamw_step), run(stepped::<Flex>));
        if case.clip.is_none() {
            assert_eq!(slices[..3], primitives[..3], "without a norm the bits are the same");
        }
        for (a, b) in slices.into_iter().flatten().zip(primitives.into_iter().flatten()) {
            assert!((a - b).abs() < 1e-6 * b.abs().max(1.0), "{a} against {b}");
        }
    }
}

#[test]
fn what_others_hold_stays_as_it_was() {
    let (before, gradient) = (fresh(wave(0.01)), flat(&wave(0.37)));
    let (after, _) = adamw(before.clone(), gradient.clone(), PLAIN);
    assert_eq!(numbers(before.values.clone()), wave(0.01));
    assert_eq!(numbers(gradient.clone()), wave(0.37));
    assert!(numbers(before.first.clone()).into_iter().all(|m| m == 0.0));
    let alone = fresh(wave(0.01));
    drop(before);
    let (again, _) = adamw(alone, gradient, PLAIN);
    assert_eq!(numbers(again.values), numbers(after.values));
    assert_eq!(numbers(again.second), numbers(after.second));
}

#[test]
fn a_gradient_that_is_no_number_shows_in_norm_and_values() {
    for case in cases() {
        let mut gradient = wave(0.37);
        gradient[5] = f32::NAN;
        let (state, norm) = adamw(fresh(wave(0.01)), flat(&gradient), case);
        assert!(norm.into_scalar::<f32>().is_nan());
        assert!(numbers(state.values)[5].is_nan());
    }
}
