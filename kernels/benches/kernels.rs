//! How long each operation takes, through the functions that models call.
//!
//! `cargo bench -p likeness-kernels -- FILTER`; names are `operation/shape/direction`.
//! `forward` is without gradients, `backward` the way back alone, `both` one after
//! the other, gradients of all that learns included.

use std::hint::black_box;
use std::time::Duration;

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Distribution, FloatDType, Tensor};
use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode};
use likeness_kernels::{
    AdamWState, AdamWStep, AttentionOptions, ConvUpdate, LinearUpdate, Pool, adamw, attention,
    conv_frozen, geglu, group_norm_silu, layer_norm, linear_frozen, lora_conv, lora_linear, seeded,
};

// As in likeness itself.
#[global_allocator]
static POOL: Pool = Pool::new();

/// Rank of the low-rank updates.
const RANK: usize = 16;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for bench in [attentions, convolutions, linears, low_rank, normalisations, others] {
        bench(&mut criterion);
    }
    criterion.final_summary();
}

/// What of an operation is measured.
#[derive(Clone, Copy)]
enum Direction {
    Forward,
    Backward,
    Both,
}
use Direction::{Backward, Both, Forward};

/// One operation's group: few samples, as many runs in each.
fn group<'a>(criterion: &'a mut Criterion, operation: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(operation);
    group.sampling_mode(SamplingMode::Flat);
    group
}

/// Measures `f` of inputs that all learn.
fn measure<const N: usize, const D: usize, const E: usize>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    shape: &str,
    directions: &[Direction],
    inputs: [Tensor<D>; N],
    f: impl Fn([Tensor<D>; N]) -> Tensor<E>,
) {
    let tracked = || inputs.clone().map(|x| x.autodiff().require_grad());
    let upstream = || normal(f(inputs.clone()).dims());
    for direction in directions {
        match direction {
            Forward => group.bench_function(format!("{shape}/forward"), |b| {
                b.iter(|| f(black_box(inputs.clone())));
            }),
            Backward => group.bench_function(format!("{shape}/backward"), |b| {
                let upstream = upstream();
                let forward = || seeded(f(tracked()), upstream.clone());
                b.iter_batched(forward, |root| root.backward(), BatchSize::PerIteration);
            }),
            Both => group.bench_function(format!("{shape}/both"), |b| {
                let upstream = upstream();
                b.iter(|| seeded(f(tracked()), upstream.clone()).backward());
            }),
        };
    }
}

/// Standard normal values.
fn normal<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), &Device::flex())
}

/// Weights for so many inputs.
fn weight<const D: usize>(shape: [usize; D], fan_in: usize) -> Tensor<D> {
    normal(shape) / (fan_in as f64).sqrt()
}

/// Heads x tokens x head size, and tokens attended to: Stable Diffusion 1.5's at 512 px, 2.1's
/// heads, its text, and a tiny model's.
fn attentions(criterion: &mut Criterion) {
    let mut group = group(criterion, "attention");
    let cases = [
        ("8x4096x40", [8, 4096, 40], 4096),
        ("10x1024x64", [10, 1024, 64], 1024),
        ("8x4096x40-over-77", [8, 4096, 40], 77),
        ("8x4096x4", [8, 4096, 4], 4096),
    ];
    for (name, [heads, tokens, d_head], attended) in cases {
        let of = |tokens| normal([1, tokens, heads * d_head]);
        let options = AttentionOptions { heads, causal: false };
        let inputs = [of(tokens), of(attended), of(attended)];
        measure(&mut group, name, &[Forward, Both], inputs, |[q, k, v]| {
            attention(q, k, v, options)
        });
    }
}

fn same(kernel: usize) -> ConvOptions<2> {
    ConvOptions::new([1, 1], [kernel / 2; 2], [1, 1], 1)
}

/// Kernel, channels @ side: two levels of the UNet, one of the VAE.
fn convolutions(criterion: &mut Criterion) {
    let mut group = group(criterion, "conv_frozen");
    for (kernel, channels, side) in [(3, 320, 64), (3, 640, 32), (3, 128, 256), (1, 320, 64)] {
        let w = weight([channels, channels, kernel, kernel], channels * kernel * kernel);
        let bias = Some(normal([channels]));
        let name = format!("{kernel}x{kernel}-{channels}@{side}");
        let x = [normal([1, channels, side, side])];
        measure(&mut group, &name, &[Forward, Backward], x, |[x]| {
            conv_frozen(x, w.clone(), bias.clone(), same(kernel))
        });
    }
}

/// Tokens x inputs to outputs, weights as they are stored.
fn linears(criterion: &mut Criterion) {
    let mut group = group(criterion, "linear_frozen");
    for (tokens, d_in, d_out) in [(4096, 320, 2560), (1024, 640, 640)] {
        for (stored, dtype) in [("f32", FloatDType::F32), ("f16", FloatDType::F16)] {
            let w = weight([d_out, d_in], d_in).cast(dtype);
            let bias = Some(normal([d_out]));
            let name = format!("{tokens}x{d_in}-to-{d_out}-{stored}");
            measure(&mut group, &name, &[Forward, Backward], [normal([tokens, d_in])], |[x]| {
                linear_frozen(x, w.clone(), bias.clone())
            });
        }
    }
}

/// Layers with an update, whose input learns too.
fn low_rank(criterion: &mut Criterion) {
    let mut linear = group(criterion, "lora_linear");
    for (tokens, width) in [(4096, 320), (1024, 640)] {
        let (w, bias) = (weight([width, width], width), Some(normal([width])));
        let factors = [weight([RANK, width], width), weight([width, RANK], RANK)];
        let [down, up] = factors;
        let inputs = [normal([tokens, width]), down, up];
        measure(&mut linear, &format!("{tokens}x{width}"), &[Forward, Both], inputs, |inputs| {
            let [x, down, up] = inputs;
            let update = LinearUpdate { down, up, scale: 1.0 };
            lora_linear(x, w.clone(), bias.clone(), update)
        });
    }
    linear.finish();
    let mut conv = group(criterion, "lora_conv");
    for (kernel, channels, side) in [(3, 320, 64), (1, 320, 64)] {
        let fan_in = channels * kernel * kernel;
        let (w, bias) =
            (weight([channels, channels, kernel, kernel], fan_in), Some(normal([channels])));
        let down = weight([RANK, channels, kernel, kernel], fan_in);
        let up = weight([channels, RANK, 1, 1], RANK);
        let inputs = [normal([1, channels, side, side]), down, up];
        let name = format!("{kernel}x{kernel}-{channels}@{side}");
        measure(&mut conv, &name, &[Forward, Both], inputs, |[x, down, up]| {
            let update = ConvUpdate { down, up, scale: 1.0 };
            lora_conv(x, w.clone(), bias.clone(), update, same(kernel))
        });
    }
}

fn normalisations(criterion: &mut Criterion) {
    let mut groups = group(criterion, "group_norm_silu");
    for (channels, side) in [(320, 64), (128, 256)] {
        let (gamma, beta) = (normal([channels]), normal([channels]));
        let (name, x) = (format!("{channels}@{side}"), [normal([1, channels, side, side])]);
        measure(&mut groups, &name, &[Forward, Backward], x, |[x]| {
            group_norm_silu(x, gamma.clone(), beta.clone(), 32, 1e-5)
        });
    }
    groups.finish();
    let mut layers = group(criterion, "layer_norm");
    for (tokens, width) in [(4096, 320), (1024, 640)] {
        let (gamma, beta) = (normal([width]), normal([width]));
        let (name, x) = (format!("{tokens}x{width}"), [normal([tokens, width])]);
        measure(&mut layers, &name, &[Forward, Backward], x, |[x]| {
            layer_norm(x, gamma.clone(), beta.clone(), 1e-5)
        });
    }
}

fn others(criterion: &mut Criterion) {
    let mut gates = group(criterion, "geglu");
    for (tokens, twice) in [(4096, 2560), (1024, 5120)] {
        let name = format!("{tokens}x{twice}");
        measure(&mut gates, &name, &[Forward, Backward], [normal([tokens, twice])], |[x]| geglu(x));
    }
    gates.finish();
    // Rank 16 on the attention projections of Stable Diffusion 1.5.
    let mut optimizer = group(criterion, "adamw");
    optimizer.bench_function("3200000/forward", |b| {
        let flat = || normal([3_200_000]);
        let gradient = flat();
        let step = AdamWStep {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            clip: Some(1.0),
            learning_rate: 1e-4,
            number: 10,
        };
        let state = AdamWState { values: flat(), first: flat(), second: flat().square() };
        let mut state = Some(state);
        b.iter(|| {
            let before = state.take().expect("every step leaves one");
            let (after, norm) = adamw(before, gradient.clone(), step);
            state = Some(after);
            norm
        });
    });
}
