#!/usr/bin/env python3
"""A Stable Diffusion 1.5 checkpoint at full width with random weights, so that speed and memory can be measured.

    python make_sd15.py --out sd15-random.safetensors                    one LDM file, f16, 2.1 GB
    python make_sd15.py --out sd15-random --layout diffusers             a folder as diffusers writes it

The sizes are those of the published configs (unet/config.json, vae/config.json, text_encoder/config.json of
stable-diffusion-v1-5); the values are drawn as the fixtures' are, scaled by 1 / sqrt(fan in), so that outputs stay
finite. Pictures made with it are noise. Nothing is downloaded; the tokenizer is that of tests/fixtures.
"""

import argparse
import json
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "tests", "fixtures")
sys.path.insert(0, os.path.join(FIXTURES, "make"))
from gen_common import (
    Gen,
    random_value,
)  # first: it sets the offline environment before diffusers is imported

import ldm_convert
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

UNET = dict(
    sample_size=64,
    in_channels=4,
    out_channels=4,
    layers_per_block=2,
    block_out_channels=(320, 640, 1280, 1280),
    cross_attention_dim=768,
    attention_head_dim=8,  # the number of heads, despite its name
    norm_num_groups=32,
    norm_eps=1e-5,
    act_fn="silu",
    center_input_sample=False,
    flip_sin_to_cos=True,
    freq_shift=0,
    mid_block_scale_factor=1,
    downsample_padding=1,
    down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
    up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3,
)
VAE = dict(
    in_channels=3,
    out_channels=3,
    latent_channels=4,
    layers_per_block=2,
    block_out_channels=(128, 256, 512, 512),
    norm_num_groups=32,
    sample_size=512,
    scaling_factor=0.18215,
    act_fn="silu",
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
)
TEXT_ENCODER = dict(
    vocab_size=49408,
    hidden_size=768,
    intermediate_size=3072,
    num_hidden_layers=12,
    num_attention_heads=12,
    max_position_embeddings=77,
    hidden_act="quick_gelu",
    layer_norm_eps=1e-5,
    projection_dim=768,
    bos_token_id=0,
    eos_token_id=2,
    pad_token_id=1,
)
SD15 = {"unet": UNET, "vae": VAE, "text_encoder": TEXT_ENCODER}
SCHEDULER = dict(
    num_train_timesteps=1000,
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    clip_sample=False,
    set_alpha_to_one=False,
    steps_offset=1,
    prediction_type="epsilon",
)
MODEL_INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "requires_safety_checker": False,
    "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}
OVERRIDES = {
    "unet": [("conv_out.weight", 0.6), ("to_q.weight", 1.5), ("to_k.weight", 1.5)],
    "vae": [("conv_out.weight", 0.5)],
    "text_encoder": [("position_embedding", 0.4)],
}
FILE_NAMES = {
    "unet": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}
DTYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "f32": torch.float32}


def skeletons(sizes=SD15):
    """The three models without storage: names and shapes only."""
    with torch.device("meta"):
        return {
            "unet": UNet2DConditionModel(**sizes["unet"]),
            "vae": AutoencoderKL(**sizes["vae"]),
            "text_encoder": CLIPTextModel(CLIPTextConfig(**sizes["text_encoder"])),
        }


def random_weights(name, model, seed, dtype):
    """Names as diffusers and published checkpoints write them."""
    gen = Gen(seed, f"sd15-full/{name}")
    prefix = "text_model." if name == "text_encoder" else ""
    return {
        (p if p.startswith(prefix) else prefix + p): random_value(
            p, w.shape, gen, overrides=OVERRIDES[name]
        ).to(dtype)
        for p, w in model.named_parameters()
    }


def write_configs(folder, sizes=SD15):
    """The configs and the tokenizer of a diffusers folder, without weights (for `from_single_file(config=...)`)."""
    for name, model in skeletons(sizes).items():
        config = model.config if name == "text_encoder" else model
        (config.save_pretrained if name == "text_encoder" else config.save_config)(f"{folder}/{name}")
    DDIMScheduler(**SCHEDULER).save_config(f"{folder}/scheduler")
    shutil.copytree(f"{FIXTURES}/tokenizer-clip/tokenizer", f"{folder}/tokenizer", dirs_exist_ok=True)
    with open(f"{folder}/model_index.json", "w") as f:
        json.dump(MODEL_INDEX, f, indent=2)


def write_ldm(path, parts):
    """One file in the names of the original checkpoint, with the buffers that it carries."""
    betas = DDIMScheduler(**SCHEDULER).betas
    whole = {
        **ldm_convert.unet_to_ldm(parts["unet"], UNET),
        **ldm_convert.vae_to_ldm(parts["vae"], VAE),
        **ldm_convert.clip_to_ldm(parts["text_encoder"]),
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
        "betas": betas,
        "alphas_cumprod": torch.cumprod(1.0 - betas, 0),
    }
    save_file(whole, path, metadata={"format": "pt"})


def write_diffusers(folder, parts, sizes=SD15):
    write_configs(folder, sizes)
    for name, weights in parts.items():
        save_file(weights, f"{folder}/{name}/{FILE_NAMES[name]}", metadata={"format": "pt"})


def size_on_disk(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(f"{d}/{n}") for d, _, names in os.walk(path) for n in names)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", required=True, help="a .safetensors file (ldm) or a folder (diffusers)")
    p.add_argument("--layout", choices=("ldm", "diffusers"), default="ldm")
    p.add_argument("--dtype", choices=sorted(DTYPES), default="f16")
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    start = time.perf_counter()
    parts = {name: random_weights(name, m, a.seed, DTYPES[a.dtype]) for name, m in skeletons().items()}
    drawn = time.perf_counter()
    (write_ldm if a.layout == "ldm" else write_diffusers)(a.out, parts)
    print(
        json.dumps(
            {
                "out": a.out,
                "layout": a.layout,
                "dtype": a.dtype,
                "parameters": {name: sum(w.numel() for w in ws.values()) for name, ws in parts.items()},
                "bytes": size_on_disk(a.out),
                "draw_s": round(drawn - start, 1),
                "write_s": round(time.perf_counter() - drawn, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
