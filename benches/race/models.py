#!/usr/bin/env python3
"""What the race runs on: a random checkpoint, the inputs that both sides read, and photos to launch a training on.

    python models.py --size tiny --batch 4 --out DIR

Writes `DIR/checkpoint` (a diffusers folder, f16), `DIR/configs` (the same without weights), `DIR/inputs.safetensors`
and `DIR/photos`. With --checkpoint no weights are drawn. Values are drawn as make_sd15.py's; nothing is downloaded.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from make_sd15 import (
    SD15,
    TEXT_ENCODER,
    UNET,
    VAE,
    random_weights,
    skeletons,
    write_configs,
    write_diffusers,
)  # first: it sets the offline environment before diffusers is imported

import numpy as np
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

TINY = {
    "unet": dict(
        UNET,
        sample_size=32,
        block_out_channels=(32, 64),
        cross_attention_dim=32,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    ),
    "vae": dict(VAE, sample_size=256, block_out_channels=(32, 32, 64, 64)),
    "text_encoder": dict(
        TEXT_ENCODER,
        hidden_size=32,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        projection_dim=32,
    ),
}
SMALL = {
    "unet": dict(
        UNET,
        sample_size=32,
        block_out_channels=(64, 128, 256),
        cross_attention_dim=128,
        down_block_types=("CrossAttnDownBlock2D",) * 2 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 2,
    ),
    "vae": dict(VAE, sample_size=256, block_out_channels=(64, 64, 128, 128)),
    "text_encoder": dict(
        TEXT_ENCODER,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=8,
        projection_dim=128,
    ),
}
BUILTIN = {  # the built-in base's UNet and autoencoder: configs/builtin.toml
    "unet": dict(
        UNET,
        sample_size=12,
        in_channels=16,
        out_channels=16,
        layers_per_block=1,
        block_out_channels=(80, 160),
        cross_attention_dim=192,
        attention_head_dim=(1, 4),
        norm_num_groups=16,
        use_linear_projection=True,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    ),
    "vae": dict(
        VAE,
        sample_size=96,
        latent_channels=16,
        layers_per_block=1,
        block_out_channels=(32, 48, 64, 96),
        norm_num_groups=8,
    ),
    "text_encoder": dict(
        TEXT_ENCODER,
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=3,
        num_attention_heads=4,
        projection_dim=192,
    ),
}
SIZES = {"builtin": BUILTIN, "tiny": TINY, "small": SMALL, "sd15": SD15}
TIMESTEPS = (481, 999, 120, 17)


def inputs(sizes, batch, seed):
    """Standard normal latents, noise and states; pixels evenly from -1 to 1."""
    gen = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=gen)
    side, width = sizes["unet"]["sample_size"], sizes["unet"]["cross_attention_dim"]
    channels = sizes["unet"]["in_channels"]
    return {
        "latents": draw(batch, channels, side, side),
        "noise": draw(batch, channels, side, side),
        "timesteps": torch.tensor([TIMESTEPS[i % len(TIMESTEPS)] for i in range(batch)]),
        "text": draw(batch, 77, width),
        "negative": draw(1, 77, width),
        "pixels": torch.rand(1, 3, 8 * side, 8 * side, generator=gen) * 2 - 1,
    }


def photo(path, side, seed):
    """A picture that a curation keeps: soft light with sharp shapes on it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    light = [128 + 60 * np.sin(2 * np.pi * (x * a + y * b + c)) for a, b, c in rng.uniform(-2, 2, (3, 3))]
    grain = rng.normal(0, 6, (side, side, 3))
    picture = Image.fromarray((np.stack(light, -1) + grain).clip(0, 255).astype("uint8"))
    pen = ImageDraw.Draw(picture)
    for _ in range(24):
        left, top, right, bottom = rng.integers(0, side, 4)
        box = (min(left, right), min(top, bottom), max(left, right), max(top, bottom))
        pen.rectangle([int(v) for v in box], outline=tuple(int(v) for v in rng.integers(0, 256, 3)), width=3)
    picture.save(path)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--size", choices=SIZES, required=True)
    p.add_argument("--out", required=True)
    p.add_argument("--batch", type=int, required=True)
    p.add_argument("--checkpoint", help="one of this size that is there already")
    p.add_argument("--photos", type=int, default=4, help="how many are painted")
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    sizes = SIZES[a.size]
    os.makedirs(f"{a.out}/photos", exist_ok=True)
    write_configs(f"{a.out}/configs", sizes)
    if not a.checkpoint:
        parts = {name: random_weights(name, m, a.seed, torch.float16) for name, m in skeletons(sizes).items()}
        write_diffusers(f"{a.out}/checkpoint", parts, sizes)
    save_file(inputs(sizes, a.batch, a.seed), f"{a.out}/inputs.safetensors")
    for i in range(a.photos):
        photo(f"{a.out}/photos/{i}.png", 8 * sizes["unet"]["sample_size"], a.seed + i)


if __name__ == "__main__":
    main()
