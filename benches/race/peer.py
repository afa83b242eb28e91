#!/usr/bin/env python3
"""The peer's side of the race: diffusers + PEFT, one part of a checkpoint, a piece of work a command.

Speaks what ours.rs speaks: `train`, `denoise`, `encode`, `decode` or `text` on stdin, with a file behind it into which
the result is saved, and `quit`; each is answered by one JSON line. Settings are those of diffusers' DreamBooth LoRA
example: rank 16 on the UNet's attention projections, AdamW, gradients clipped to norm 1, mean squared error on the
noise, latents and text states cached. With --dtype bf16 frozen weights are bf16, factors f32, and the forward pass runs
under autocast.
"""

import os
import time

BEGIN = time.perf_counter()
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # else OpenMP spins, which others on the machine pay for
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

import argparse
import contextlib
import json
import sys

import torch
from safetensors.torch import load_file, save_file

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
GUIDANCE = 7.5  # as ours.rs


def peak_gib():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:")) / 2**20


def load_part(kind, name, a):
    """One model of a diffusers folder or of a single file."""
    options = dict(subfolder=name, torch_dtype=DTYPES[a.dtype], local_files_only=True)
    if os.path.isdir(a.checkpoint):
        return kind.from_pretrained(a.checkpoint, **options).to(a.device)
    return kind.from_single_file(a.checkpoint, config=a.configs, **options).to(a.device)


class Training:
    def __init__(self, a, inputs):
        from diffusers import DDPMScheduler, UNet2DConditionModel
        from diffusers.training_utils import cast_training_params
        from peft import LoraConfig

        self.device, self.dtype = a.device, DTYPES[a.dtype]
        unet = load_part(UNet2DConditionModel, "unet", a)
        unet.requires_grad_(False)
        unet.add_adapter(
            LoraConfig(r=16, lora_alpha=16, init_lora_weights="gaussian", target_modules=ATTENTION)
        )
        if self.dtype != torch.float32:
            cast_training_params(unet, dtype=torch.float32)
        unet.train()
        self.unet = torch.compile(unet) if a.compile else unet
        self.params = [p for p in unet.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self.params, lr=1e-4, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8
        )
        self.schedule = DDPMScheduler.from_pretrained(a.configs, subfolder="scheduler")
        self.latents, self.text = inputs["latents"], inputs["text"].to(self.dtype)
        self.first = (inputs["noise"], inputs["timesteps"])
        self.amp = contextlib.nullcontext
        if self.dtype != torch.float32:
            self.amp = lambda: torch.autocast(a.device.split(":")[0], dtype=self.dtype)

    def run(self, command):
        """The file's noise and timesteps first, then fresh ones on the same latents."""
        noise, t = self.first or (
            torch.randn_like(self.latents),
            torch.randint(0, 1000, (len(self.latents),), device=self.device),
        )
        self.first = None
        noisy = self.schedule.add_noise(self.latents, noise, t)
        with self.amp():
            predicted = self.unet(noisy.to(self.dtype), t, self.text, return_dict=False)[0]
        loss = torch.nn.functional.mse_loss(predicted.float(), noise)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.params, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        loss.item()
        return loss.detach()


class Sampling:
    def __init__(self, a, inputs):
        from diffusers import DDIMScheduler, StableDiffusionPipeline

        options = dict(torch_dtype=DTYPES[a.dtype], safety_checker=None, local_files_only=True)
        if os.path.isdir(a.checkpoint):
            pipe = StableDiffusionPipeline.from_pretrained(a.checkpoint, **options)
        else:
            pipe = StableDiffusionPipeline.from_single_file(a.checkpoint, config=a.configs, **options)
        pipe.set_progress_bar_config(disable=True)
        pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config, timestep_spacing="trailing")
        self.pipe = pipe.to(a.device)
        if a.compile:
            pipe.unet = torch.compile(pipe.unet)
        as_weights = lambda x: x.to(DTYPES[a.dtype])
        self.arguments = dict(
            latents=as_weights(inputs["noise"][:1]),
            prompt_embeds=as_weights(inputs["text"][:1]),
            negative_prompt_embeds=as_weights(inputs["negative"]),
            height=8 * inputs["noise"].shape[2],
            width=8 * inputs["noise"].shape[3],
        )

    @torch.no_grad()
    def run(self, command):
        step = dict(num_inference_steps=1, guidance_scale=GUIDANCE, output_type="latent")
        return self.pipe(**self.arguments, **step).images


class Autoencoding:
    def __init__(self, a, inputs):
        from diffusers import AutoencoderKL

        self.vae = load_part(AutoencoderKL, "vae", a)
        self.pixels, self.latents = (inputs[k][:1].to(DTYPES[a.dtype]) for k in ("pixels", "latents"))

    @torch.no_grad()
    def run(self, command):
        if command == "encode":
            return self.vae.encode(self.pixels).latent_dist.mean
        return self.vae.decode(self.latents / self.vae.config.scaling_factor, return_dict=False)[0]


class Encoding:
    def __init__(self, a, inputs):
        from diffusers import StableDiffusionPipeline
        from transformers import CLIPTextModel, CLIPTokenizer

        self.device, self.prompts = a.device, (a.prompt, a.negative)
        self.tokenizer = CLIPTokenizer.from_pretrained(f"{a.configs}/tokenizer")
        if os.path.isdir(a.checkpoint):
            options = dict(subfolder="text_encoder", dtype=DTYPES[a.dtype], local_files_only=True)
            self.encoder = CLIPTextModel.from_pretrained(a.checkpoint, **options).to(a.device)
            return
        options = dict(config=a.configs, torch_dtype=DTYPES[a.dtype], local_files_only=True)
        absent = dict(unet=None, vae=None, safety_checker=None)
        pipe = StableDiffusionPipeline.from_single_file(a.checkpoint, **options, **absent)
        self.encoder = pipe.text_encoder.to(a.device)

    @torch.no_grad()
    def run(self, command):
        states = []
        for prompt in self.prompts:
            ids = self.tokenizer(prompt, padding="max_length", max_length=77, truncation=True, return_tensors="pt")
            states.append(self.encoder(ids.input_ids.to(self.device)).last_hidden_state)
        return torch.cat(states)


# What loads for each part, and what it does.
PARTS = {
    "train": (Training, ["train"]),
    "sample": (Sampling, ["denoise"]),
    "vae": (Autoencoding, ["encode", "decode"]),
    "text": (Encoding, ["text"]),
}


def answer(line):
    print(json.dumps(line), flush=True)


def versions():
    loaded = ("torch", "diffusers", "transformers", "peft", "accelerate")
    return {name: sys.modules[name].__version__ for name in loaded if name in sys.modules}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--part", choices=PARTS, required=True)
    p.add_argument("--checkpoint", required=True, help="a diffusers folder or a single file")
    p.add_argument("--configs", required=True, help="a diffusers folder without weights")
    p.add_argument("--inputs", required=True)
    p.add_argument("--device", default="cpu")
    p.add_argument("--dtype", choices=DTYPES, default="f32")
    p.add_argument("--compile", action="store_true", help="the UNet by torch.compile")
    p.add_argument("--tf32", action="store_true", help="let f32 products round to TF32 on a GPU")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument("--prompt", default="")
    p.add_argument("--negative", default="")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = a.tf32
    settle = torch.cuda.synchronize if a.device.startswith("cuda") else lambda: None
    kind, commands = PARTS[a.part]
    part = kind(a, {name: x.to(a.device) for name, x in load_file(a.inputs).items()})
    answer({"ready": versions(), "seconds": time.perf_counter() - BEGIN})
    for line in sys.stdin:
        command, _, target = line.strip().partition(" ")
        if command == "quit":
            break
        if command not in commands:
            sys.exit(f"`{command}` is no command of this part")
        begin = time.perf_counter()
        result = part.run(command)
        settle()
        seconds = time.perf_counter() - begin
        if target:
            save_file({"result": result.detach().float().cpu().reshape(-1).contiguous()}, target)
        loss = float(result) if command == "train" else None
        answer({"seconds": seconds, "peak_gib": peak_gib(), "loss": loss})


if __name__ == "__main__":
    main()
