//! What was learned, as files that every command reads: a diffusers folder, and ONNX with a card.

use std::fs;
use std::path::Path;

use likeness_diffusion::atomic;
use likeness_diffusion::text::TextConfig;
use likeness_diffusion::weights::{HostTensor, save};
use likeness_faces::Axis;
use safetensors::Dtype;
use serde_json::{Value, json};

use super::config::PretrainConfig;
use super::judges::reader::{Look, Reader};
use super::parameters::Parameters;
use crate::error::TrainError;

/// What a folder is made of, beside its tokenizer.
pub struct Models<'a> {
    /// The autoencoder.
    pub vae: &'a Parameters,
    /// What latents are multiplied with for unit size.
    pub scaling: f64,
    /// The UNet.
    pub unet: &'a Parameters,
    /// The text encoder.
    pub text: &'a Parameters,
    /// Its sizes.
    pub text_config: &'a TextConfig,
}

/// Writes the weights in f16 and their configs to `folder`; the tokenizer is copied from
/// `tokenizer`.
pub fn base(
    config: &PretrainConfig,
    models: &Models,
    tokenizer: &Path,
    folder: &Path,
) -> Result<(), TrainError> {
    let weights = |path: &str, parameters: &Parameters, prefix: &str| {
        let named = parameters.named(&parameters.values).into_iter();
        let tensors: Vec<(String, HostTensor)> =
            named.map(|(name, tensor)| (format!("{prefix}{name}"), tensor)).collect();
        create(folder.join(path).parent().expect("a file lies in a folder"))?;
        let format = [("format".to_owned(), "pt".to_owned())];
        Ok::<_, TrainError>(save(&folder.join(path), &tensors, &format.into(), Dtype::F16)?)
    };
    weights(VAE, models.vae, "")?;
    weights(UNET, models.unet, "")?;
    weights(TEXT_ENCODER, models.text, TEXT_PREFIX)?;
    let into = folder.join("tokenizer");
    copied_tokenizer(tokenizer, &into)?;
    create(&folder.join("scheduler"))?;
    let json = |path: &str, value: Value| {
        atomic::write(&folder.join(path), format!("{value:#}\n").as_bytes())
    };
    json("unet/config.json", unet_config(config))?;
    json("vae/config.json", vae_config(config, models.scaling))?;
    json("text_encoder/config.json", text_config(models.text_config))?;
    json("scheduler/scheduler_config.json", scheduler_config(config))?;
    // Last: with it the folder is whole.
    Ok(json("model_index.json", index())?)
}

/// Copies the files of a tokenizer from one folder to another.
pub fn copied_tokenizer(from: &Path, into: &Path) -> Result<(), TrainError> {
    create(into)?;
    for name in ["vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"] {
        let from = from.join(name);
        let bytes = fs::read(&from).map_err(TrainError::io("read", &from))?;
        atomic::write(&into.join(name), &bytes)?;
    }
    Ok(())
}

/// The file of the autoencoder's weights in a base.
pub const VAE: &str = "vae/diffusion_pytorch_model.safetensors";
/// Of the UNet's.
pub const UNET: &str = "unet/diffusion_pytorch_model.safetensors";
/// Of the text encoder's.
pub const TEXT_ENCODER: &str = "text_encoder/model.safetensors";
/// What the text encoder's names begin with in its file.
pub const TEXT_PREFIX: &str = "text_model.";

/// The folder in a base that holds its judges.
pub const JUDGES: &str = "judges";

/// The score from which the finder has found a face. On 715 held-out renders all faces have it, and 0.4 %
/// of the pictures something else; at YuNet's 0.6, 98.3 % and 0.1 %, and of what the base paints a
/// tenth to a third is lost.
const LEAST_SCORE: f64 = 0.35;

/// Writes the face finder.
pub fn finder(config: &PretrainConfig, onnx: Vec<u8>) -> Result<(), TrainError> {
    judge(
        config,
        "finder",
        &onnx,
        &json!({
            "kind": "detector",
            "name": "likeness finder",
            "least_score": LEAST_SCORE,
            "faces": "rendered",
            "input_size": config.finder.side,
        }),
    )
}

/// Writes the identity encoder.
pub fn identity(config: &PretrainConfig, onnx: Vec<u8>) -> Result<(), TrainError> {
    let threshold = last(config, "identity")["threshold"].as_f64().unwrap_or(0.0);
    judge(
        config,
        "identity",
        &onnx,
        &json!({
            "kind": "encoder",
            "name": "likeness identity",
            "input_size": config.identity.side,
            "margin": config.identity.margin,
            "output_dimension": config.identity.dimension,
            "same_person_cosine": threshold,
        }),
    )
}

/// The last validation of a stage; null where there is none.
fn last(config: &PretrainConfig, stage: &str) -> Value {
    let lines = fs::read_to_string(config.out.join(stage).join("validation.jsonl"));
    let last = lines.unwrap_or_default().lines().last().map(serde_json::from_str);
    last.and_then(Result::ok).unwrap_or(Value::Null)
}

/// Writes a reader.
pub fn reader(config: &PretrainConfig, reader: &Reader, onnx: Vec<u8>) -> Result<(), TrainError> {
    let last = last(config, reader.name);
    let measured = |axis: &Axis| {
        let accuracy = last[format!("{} accuracy", axis.name)].as_f64();
        Axis { accuracy: accuracy.unwrap_or(axis.accuracy), ..axis.clone() }
    };
    let axes: Vec<Axis> = reader.asked.axes().map(measured).collect();
    let name = format!("likeness {}", reader.name.replace('_', " "));
    let mut card = json!({ "kind": "reader", "name": name, "axes": axes });
    match reader.look {
        Look::Picture => card["input_size"] = config.corpus.side.into(),
        Look::Face(side, margin) => {
            card["input_size"] = side.into();
            card["margin"] = margin.into();
            card["looks_at"] = "face".into();
        }
    }
    judge(config, reader.name, &onnx, &card)
}

/// Writes a network of the base's judges and the card that says how it is fed.
fn judge(config: &PretrainConfig, name: &str, onnx: &[u8], card: &Value) -> Result<(), TrainError> {
    let folder = config.out.join("base").join(JUDGES);
    let mut card = card.clone();
    card["channels"] = "rgb".into();
    card["mean"] = 127.5.into();
    card["scale"] = 127.5.into();
    card["licence"] = "MIT OR Apache-2.0".into();
    card["source"] = "likeness pretrain, from rendered characters".into();
    create(&folder)?;
    atomic::write(&folder.join(format!("{name}.onnx")), onnx)?;
    let card = toml::to_string(&card).expect("words and numbers are TOML");
    Ok(atomic::write(&folder.join(format!("{name}.toml")), card.as_bytes())?)
}

fn create(folder: &Path) -> Result<(), TrainError> {
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))
}

fn unet_config(config: &PretrainConfig) -> Value {
    let unet = config.unet();
    let heads: Vec<_> = (0..unet.levels()).map(|level| unet.attention_head_dim.at(level)).collect();
    json!({
        "_class_name": "UNet2DConditionModel",
        "act_fn": unet.act_fn,
        "attention_head_dim": heads,
        "block_out_channels": unet.block_out_channels,
        "cross_attention_dim": unet.cross_attention_dim,
        "down_block_types": unet.down_block_types,
        "flip_sin_to_cos": unet.flip_sin_to_cos,
        "freq_shift": unet.freq_shift,
        "in_channels": unet.in_channels,
        "layers_per_block": unet.layers_per_block,
        "mid_block_type": unet.mid_block_type,
        "norm_eps": unet.norm_eps,
        "norm_num_groups": unet.norm_num_groups,
        "out_channels": unet.out_channels,
        "sample_size": unet.sample_size,
        "up_block_types": unet.up_block_types,
        "use_linear_projection": unet.use_linear_projection,
    })
}

fn vae_config(config: &PretrainConfig, scaling: f64) -> Value {
    let vae = config.vae(scaling);
    let of_each = |name| vec![name; vae.block_out_channels.len()];
    json!({
        "_class_name": "AutoencoderKL",
        "act_fn": "silu",
        "block_out_channels": vae.block_out_channels,
        "down_block_types": of_each("DownEncoderBlock2D"),
        "up_block_types": of_each("UpDecoderBlock2D"),
        "in_channels": vae.in_channels,
        "out_channels": vae.in_channels,
        "latent_channels": vae.latent_channels,
        "layers_per_block": vae.layers_per_block,
        "norm_num_groups": vae.norm_num_groups,
        "sample_size": config.corpus.side,
        "scaling_factor": vae.scaling_factor,
    })
}

fn text_config(text: &TextConfig) -> Value {
    json!({
        "architectures": ["CLIPTextModel"],
        "model_type": "clip_text_model",
        "bos_token_id": text.vocab_size - 2,
        "eos_token_id": text.eos_token_id,
        "pad_token_id": text.eos_token_id,
        "hidden_act": "quick_gelu",
        "hidden_size": text.hidden_size,
        "intermediate_size": text.intermediate_size,
        "layer_norm_eps": text.layer_norm_eps,
        "max_position_embeddings": text.max_position_embeddings,
        "num_attention_heads": text.num_attention_heads,
        "num_hidden_layers": text.num_hidden_layers,
        "projection_dim": text.hidden_size,
        "vocab_size": text.vocab_size,
    })
}

fn scheduler_config(config: &PretrainConfig) -> Value {
    let mut value = serde_json::to_value(config.schedule()).expect("numbers and names are JSON");
    value["_class_name"] = "DDIMScheduler".into();
    value["clip_sample"] = false.into();
    value
}

fn index() -> Value {
    json!({
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "safety_checker": [null, null],
        "feature_extractor": [null, null],
        "requires_safety_checker": false,
    })
}
