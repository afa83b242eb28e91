#!/usr/bin/env python3
"""The Python peer on one small job: three LoRA steps on one picture, then one picture from the result.

    python make_sd15.py --out sd15-random.safetensors
    python peer_three_steps.py --checkpoint sd15-random.safetensors --picture photo.jpg --out sample.png

diffusers and PEFT as their DreamBooth LoRA example uses them: rank 16 on the UNet's attention projections, AdamW,
batch 1, mean squared error on the noise, everything computed in f32; latents and text states are computed once and
cached. Then DDIM with guidance, and the VAE's decoder. Prints one JSON object: wall and CPU seconds of each stage,
the losses, and the peak of resident memory (VmHWM) reached by the end of each stage. `other_cores` says how many
cores other processes used meanwhile; a figure counts where it is near 0.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else OpenMP spins, which others on the machine pay for

import argparse
import json
import sys
import tempfile
import time
from contextlib import contextmanager

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from make_sd15 import (
    SCHEDULER,
    write_configs,
)  # first: it sets the offline environment before diffusers is imported

import diffusers
import numpy as np
import peft
import torch
import torch.nn.functional as F
import transformers
from diffusers import DDIMScheduler, DDPMScheduler, StableDiffusionPipeline
from peft import LoraConfig
from PIL import Image

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]


def status_kib(field):
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith(field + ":"))


def busy_cpu_s():
    """CPU seconds spent by everything on this machine since it started (user, nice, system, irq, softirq)."""
    with open("/proc/stat") as f:
        v = [int(x) for x in f.readline().split()[1:8]]
    return (v[0] + v[1] + v[2] + v[5] + v[6]) / os.sysconf("SC_CLK_TCK")


class Stages:
    """Wall seconds, CPU seconds and the memory peak of each named stage."""

    def __init__(self):
        self.rows = {}

    @contextmanager
    def __call__(self, name):
        wall, cpu, busy = time.perf_counter(), time.process_time(), busy_cpu_s()
        yield
        wall, cpu, busy = time.perf_counter() - wall, time.process_time() - cpu, busy_cpu_s() - busy
        self.rows[name] = {
            "wall_s": round(wall, 3),
            "cpu_s": round(cpu, 3),
            "other_cores": round(max(0.0, busy - cpu) / max(wall, 1e-9), 2),
            "peak_rss_gib": round(status_kib("VmHWM") / 2**20, 3),
        }
        print(f"{name}: {wall:.1f} s", file=sys.stderr, flush=True)


def load(checkpoint):
    with tempfile.TemporaryDirectory() as configs:
        write_configs(configs)
        pipe = StableDiffusionPipeline.from_single_file(
            checkpoint, config=configs, local_files_only=True, dtype=torch.float32, safety_checker=None
        )
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = DDIMScheduler(**SCHEDULER)
    for part in (pipe.unet, pipe.vae, pipe.text_encoder):
        part.requires_grad_(False)
    return pipe


def read_picture(path, side):
    """The middle square at `side` pixels, [1, 3, side, side] in -1..1."""
    picture = Image.open(path).convert("RGB")
    short = min(picture.size)
    left, top = (picture.width - short) // 2, (picture.height - short) // 2
    square = picture.crop((left, top, left + short, top + short)).resize((side, side), Image.LANCZOS)
    return torch.from_numpy(np.asarray(square, dtype=np.float32) / 127.5 - 1.0).permute(2, 0, 1)[None]


@torch.no_grad()
def encode(pipe, a):
    pixels = read_picture(a.picture, a.size)
    latents = pipe.vae.encode(pixels).latent_dist.sample() * pipe.vae.config.scaling_factor
    positive, negative = pipe.encode_prompt(a.prompt, "cpu", 1, True, a.negative)
    return latents, positive, negative


def train(pipe, latents, text, a, stages):
    """Returns the losses; the adapter stays in the UNet."""
    unet = pipe.unet
    unet.add_adapter(
        LoraConfig(r=a.rank, lora_alpha=a.rank, init_lora_weights="gaussian", target_modules=ATTENTION)
    )
    if a.grad_ckpt:
        unet.enable_gradient_checkpointing()
    unet.train()
    params = [p for p in unet.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=a.lr, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8)
    schedule = DDPMScheduler.from_config(pipe.scheduler.config)
    losses = []
    for step in range(a.steps):
        with stages(f"step {step + 1}"):
            noise = torch.randn_like(latents)
            t = torch.randint(0, schedule.config.num_train_timesteps, (latents.shape[0],))
            predicted = unet(schedule.add_noise(latents, noise, t), t, text, return_dict=False)[0]
            loss = F.mse_loss(predicted, noise)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(loss.item())
    unet.eval()
    return losses, sum(p.numel() for p in params)


@torch.no_grad()
def sample(pipe, positive, negative, a, stages):
    ends = []

    def note_time(_pipe, _step, _t, tensors):
        ends.append(time.perf_counter())
        return tensors

    start = time.perf_counter()
    with stages("sample"):
        latents = pipe(
            prompt_embeds=positive,
            negative_prompt_embeds=negative,
            height=a.size,
            width=a.size,
            num_inference_steps=a.sample_steps,
            guidance_scale=a.guidance,
            output_type="latent",
            callback_on_step_end=note_time,
        ).images
    return latents, [round(e - s, 3) for s, e in zip([start, *ends], ends)]


@torch.no_grad()
def decode(pipe, latents):
    x = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample[0]
    return ((x / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def parse_args():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--checkpoint", required=True, help="an LDM single file of Stable Diffusion 1.5's shape")
    p.add_argument("--picture", required=True)
    p.add_argument("--out", help="where the sample goes, as PNG")
    p.add_argument("--prompt", default="a photo of sks person")
    p.add_argument("--negative", default="blurry, lowres")
    p.add_argument("--size", type=int, default=512, help="pixels, a multiple of 64")
    p.add_argument("--steps", type=int, default=3, help="training steps")
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--lr", type=float, default=1e-4)
    p.add_argument("--grad-ckpt", action="store_true", help="gradient checkpointing: less memory, more time")
    p.add_argument("--sample-steps", type=int, default=20)
    p.add_argument("--guidance", type=float, default=7.5)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


def main():
    a = parse_args()
    torch.set_num_threads(a.threads)
    torch.use_deterministic_algorithms(
        False
    )  # the fixtures' helpers turn it on; the peer does not train with it
    torch.manual_seed(a.seed)
    stages = Stages()
    with stages("load"):
        pipe = load(a.checkpoint)
    with stages("encode"):
        latents, positive, negative = encode(pipe, a)
    losses, lora_parameters = train(pipe, latents, positive, a, stages)
    drawn, per_step = sample(pipe, positive, negative, a, stages)
    with stages("decode"):
        picture = decode(pipe, drawn)
    if a.out:
        Image.fromarray(picture).save(a.out)
    modules = (torch, diffusers, transformers, peft)
    print(
        json.dumps(
            {
                "bench": "peer_three_steps",
                "size": a.size,
                "rank": a.rank,
                "grad_ckpt": a.grad_ckpt,
                "sample_steps": a.sample_steps,
                "guidance": a.guidance,
                "threads": a.threads,
                "lora_parameters": lora_parameters,
                "stages": stages.rows,
                "sample_step_s": per_step,
                "losses": losses,
                "finite": bool(torch.isfinite(drawn).all()),
                "peak_rss_gib": round(status_kib("VmHWM") / 2**20, 3),
                "versions": {m.__name__: m.__version__ for m in modules},
                "cores": os.cpu_count(),
                "load_average": os.getloadavg(),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
