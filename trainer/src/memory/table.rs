//! What one step of the UNet keeps and works with: the one place that knows the kernels.
//!
//! Counted in numbers for one sample. c: channels given, n: places, m: text tokens,
//! r: rank. A layer that learns keeps what it reads and the r numbers between its two
//! factors; a frozen one keeps nothing. Adjust a row when its kernel changes, then
//! run `benches/memory.sh`, which holds the predictions beside measured peaks.

use likeness_diffusion::unet::{Kind, StepShape};

/// Bytes of a number in a feature map: f32.
pub const NUMBER_BYTES: u64 = 4;
/// The process with nothing loaded: code, tokenizer, threads, photos' inputs. Measured.
pub const PROCESS_BYTES: u64 = 60 << 20;
/// What the allocator holds beyond what is asked of it, as a share of all that lives for a
/// step: freed blocks that fit no later request. Measured.
pub const ALLOCATOR_SHARE: f64 = 0.03;
/// Rows as long as all factors while the gradient is put together and AdamW steps: values, both
/// moments, the gradient, its pieces or the next values, and the sum of several batches.
pub const ADAPTER_ROWS: u64 = 6;
/// The widest maps of the VAE's encoder that live at once, `[c, height, width]` in pixels with
/// the channels of its first level.
pub const VAE_MAPS: u64 = 4;
/// Numbers that a layer of the text encoder keeps for a token, in widths, when it learns.
pub const TEXT_WIDTHS: u64 = 24;

/// What is counted: the step, and what surrounds it.
pub struct Counted<'a> {
    /// The step.
    pub step: &'a StepShape,
    /// Tokens of the text.
    pub text_tokens: u64,
    /// Rank of the updates.
    pub rank: u64,
    /// Whether the layer at a path learns.
    pub learns: &'a dyn Fn(&str) -> bool,
}

impl Counted<'_> {
    /// Numbers of the step's output. It is what the next step reads, so it is kept in any case.
    pub fn output(&self) -> u64 {
        (self.step.c_out * self.step.places()) as u64
    }

    /// Numbers that the step's graph keeps beside its input and output.
    pub fn kept(&self) -> u64 {
        let (n, n_in) = (self.step.places() as u64, self.step.places_in() as u64);
        let (c_in, c) = (self.step.c_in as u64, self.step.c_out as u64);
        match self.step.kind {
            // They read what is kept already.
            Kind::In | Kind::Downsampler => self.if_learns(&["conv_in", "conv"], 0, n),
            // The enlarged map.
            Kind::Upsampler => self.if_learns(&["conv"], c_in * n, n),
            // The normalised map.
            Kind::Out => self.if_learns(&["conv_out"], c_in * n, n),
            Kind::Resnet => {
                let joined = if self.step.c_skip > 0 { c_in * n_in } else { 0 }; // norm1 keeps it
                let between = c * n; // norm2 keeps it
                joined
                    + between
                    + self.if_learns(&["conv1"], c_in * n, n)
                    + self.if_learns(&["conv2"], c * n, n)
                    + self.if_learns(&["conv_shortcut"], 0, n)
            }
            Kind::Transformer => {
                self.if_learns(&["proj_in"], c * n, n)
                    + self.if_learns(&["proj_out"], c * n, n)
                    + self.step.blocks as u64 * self.block(c, n)
            }
        }
    }

    /// One transformer block.
    fn block(&self, c: u64, n: u64) -> u64 {
        let m = self.text_tokens;
        let tokens = 3 * c * n; // each norm keeps what it reads
        // Attention keeps q, k, v and its output, which is what `to_out` reads.
        let itself = 4 * c * n
            + self.if_learns(&["attn1.to_q", "attn1.to_k", "attn1.to_v"], c * n, n)
            + self.if_learns(&["attn1.to_out.0"], 0, n);
        let text = 2 * c * n
            + 2 * c * m
            + self.if_learns(&["attn2.to_q"], c * n, n)
            + self.if_learns(&["attn2.to_k", "attn2.to_v"], 0, m)
            + self.if_learns(&["attn2.to_out.0"], 0, n);
        let gated = 8 * c * n // GEGLU keeps values and gates
            + self.if_learns(&["ff.net.0.proj"], c * n, n)
            + self.if_learns(&["ff.net.2"], 4 * c * n, n);
        tokens + itself + text + gated
    }

    /// `reads` once if a layer whose path ends in one of `endings` learns, and r numbers at each
    /// of `places` for each that does.
    fn if_learns(&self, endings: &[&str], reads: u64, places: u64) -> u64 {
        let is_one =
            |path: &str| endings.iter().any(|e| path == *e || path.ends_with(&format!(".{e}")));
        let paths = self.step.layers.iter().map(|(path, _)| path.as_str());
        // A transformer's blocks are alike: the first stands for each.
        let first = paths.filter(|path| !is_later_block(path));
        let count = first.filter(|path| is_one(path) && (self.learns)(path)).count() as u64;
        if count > 0 { reads + count * self.rank * places } else { 0 }
    }

    /// Numbers that live for a moment while the step is computed or gone back.
    pub fn working(&self) -> u64 {
        let (n, c) = (self.step.places() as u64, self.step.c_out as u64);
        match self.step.kind {
            // Gradients of the gates and of what goes into them, and the product between.
            Kind::Transformer => 16 * c * n,
            // A fast 3 x 3 convolution's tiles, 36 numbers for 16 places; its gradient, its input
            // and its output.
            _ => {
                let wide = (self.step.c_in as u64).max(c);
                wide * n * 36 / 16 + 3 * wide * n
            }
        }
    }
}

/// Whether `path` is in a transformer's second block or a later one.
fn is_later_block(path: &str) -> bool {
    let block = path.split_once("transformer_blocks.").map(|(_, rest)| rest);
    block.is_some_and(|rest| !rest.starts_with("0."))
}
