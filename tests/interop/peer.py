"""The Python side of the interop checks: diffusers' pipeline, its warnings, and LoRAs that PEFT trains."""

import copy
import logging
import os
import warnings
from contextlib import contextmanager

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

import torch
import torch.nn.functional as F
from diffusers import DDIMScheduler, DDPMScheduler, StableDiffusionPipeline
from diffusers.training_utils import _collate_lora_metadata
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file

PROMPT = "a photo of sks character, silver hair, red scarf"
NEGATIVE = "blurry, bad hands, lowres, text, watermark"
STEPS, GUIDANCE = 8, 5.0
ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
CONVOLUTIONS = ["conv1", "conv2", "conv_shortcut", "proj_in", "proj_out"]
TEXT = ["q_proj", "k_proj", "v_proj", "out_proj"]

# diffusers logs this for every LoRA without text encoder keys, its own files included; see no_warnings.
UNET_ONLY = (
    "No LoRA keys associated to CLIPTextModel found with the prefix='text_encoder'. This is safe to ignore"
)


class Warned(Exception):
    """The peer warned where it should have been content."""


@contextmanager
def no_warnings(unet_only):
    """Turns every Python warning and every logged record at WARNING or above into a failure.

    `unet_only` lets the one message pass that diffusers always logs for a file without text encoder keys.
    """
    records = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: records.append(record.getMessage())
    loggers = [logging.getLogger(name) for name in ("", "diffusers", "transformers", "peft")]
    saved = [(logger.level, logger.handlers) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
        logger.handlers = [handler]
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    finally:
        for logger, (level, handlers) in zip(loggers, saved):
            logger.setLevel(level)
            logger.handlers = handlers
    records = [r for r in records if not (unet_only and r.startswith(UNET_ONLY))]
    messages = sorted({*records, *(str(w.message) for w in caught)})
    if messages:
        raise Warned("; ".join(m[:300] for m in messages))


class Peer:
    """sd15-tiny in diffusers, in f32, from the same folder that likeness reads."""

    def __init__(self, pipeline_dir):
        self.pipe = StableDiffusionPipeline.from_pretrained(
            pipeline_dir, dtype=torch.float32, local_files_only=True
        )
        self.factor = 2 ** (len(self.pipe.vae.config.block_out_channels) - 1)  # pixels per latent
        self.side = self.pipe.unet.config.sample_size * self.factor

    def fresh(self):
        """A pipeline that no LoRA has touched."""
        parts = {
            k: (copy.deepcopy(v) if isinstance(v, torch.nn.Module) else v)
            for k, v in self.pipe.components.items()
        }
        parts["scheduler"] = DDIMScheduler.from_config(self.pipe.scheduler.config)
        pipe = StableDiffusionPipeline(**parts, requires_safety_checker=False)
        pipe.set_progress_bar_config(disable=True)
        return pipe

    @torch.no_grad()
    def picture(self, pipe, start):
        """(final scaled latents, decoded picture as u8 [height, width, 3])."""
        latents = pipe(
            PROMPT,
            negative_prompt=NEGATIVE,
            latents=start.clone(),
            num_inference_steps=STEPS,
            guidance_scale=GUIDANCE,
            output_type="latent",
        ).images
        x = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample[0]
        return latents, ((x / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()

    def with_loras(self, loras, start):
        """The picture with LoRA files [(path, strength)]; any warning while the first one loads is a failure.

        (With a second one in place PEFT always warns about the first one's keys.)
        """
        pipe = self.fresh()
        for i, (path, _) in enumerate(loras):
            folder, name = os.path.split(os.path.abspath(path))
            load = lambda: pipe.load_lora_weights(  # noqa: E731
                folder, weight_name=name, adapter_name=f"file{i}", local_files_only=True
            )
            if i == 0:
                with no_warnings(unet_only=not has_text_keys(path)):
                    load()
            else:
                load()
        pipe.set_adapters([f"file{i}" for i in range(len(loras))], [strength for _, strength in loras])
        return self.picture(pipe, start)


def has_text_keys(path):
    return any(k.startswith(("text_encoder.", "lora_te")) for k in load_file(path))


def train(pipe, seed, unet_config, text_config=None, steps=4, lr=2e-2):
    """A few AdamW steps on random data; enough that the LoRA visibly changes the picture."""
    torch.manual_seed(seed)
    unet, text = pipe.unet, pipe.text_encoder
    for model, config in ((unet, unet_config), (text, text_config)):
        model.requires_grad_(False)
        if config is not None:
            model.add_adapter(config)
    params = [p for m in (unet, text) for p in m.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(params, lr=lr, weight_decay=1e-2)
    schedule = DDPMScheduler.from_config(pipe.scheduler.config)
    ids = pipe.tokenizer(
        [PROMPT], padding="max_length", max_length=77, truncation=True, return_tensors="pt"
    ).input_ids
    side = unet.config.sample_size
    for _ in range(steps):
        clean, noise = torch.randn(2, 1, 4, side, side).unbind(0)
        t = torch.randint(0, 1000, (1,))
        states = text(ids).last_hidden_state
        loss = F.mse_loss(unet(schedule.add_noise(clean, noise, t), t, states).sample, noise)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return pipe


def save(pipe, folder, name, metadata, old_names=False, text_prefix=False):
    """diffusers' save_lora_weights. `metadata`: rank and alpha go to the header (lora_adapter_metadata).

    `old_names`: the keys of diffusers before PEFT. `text_prefix`: `text_model.` in the text encoder's names, as every
    transformers before 5.6 wrote them.
    """
    parts = {"unet": pipe.unet}
    unet_layers = get_peft_model_state_dict(pipe.unet)
    text_layers = None
    if getattr(pipe.text_encoder, "peft_config", None):
        parts["text_encoder"] = pipe.text_encoder
        text_layers = get_peft_model_state_dict(pipe.text_encoder)
        if text_prefix:
            text_layers = {f"text_model.{k.removeprefix('text_model.')}": v for k, v in text_layers.items()}
    if old_names:
        unet_layers = convert_state_dict_to_diffusers(unet_layers)
    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=unet_layers,
        text_encoder_lora_layers=text_layers,
        weight_name=name,
        **(_collate_lora_metadata(parts) if metadata else {}),
    )
    return os.path.join(folder, name)


def peft_loras(peer, folder):
    """[(label, file)]: LoRAs trained by PEFT, in the shapes that diffusers' scripts save."""
    unet = lambda r, a, modules, **kw: LoraConfig(  # noqa: E731
        r=r, lora_alpha=a, init_lora_weights="gaussian", target_modules=modules, **kw
    )
    text = lambda r, a: LoraConfig(r=r, lora_alpha=a, init_lora_weights="gaussian", target_modules=TEXT)  # noqa: E731
    mixed = unet(
        4, 2, ATTENTION + CONVOLUTIONS, rank_pattern={"conv1": 3}, alpha_pattern={"conv1": 6, "to_q": 1}
    )
    specs = [
        ("attention, alpha = rank, no metadata", unet(4, 4, ATTENTION), None, dict(metadata=False)),
        (
            "attention, alpha = rank, names before PEFT",
            unet(4, 4, ATTENTION),
            None,
            dict(metadata=False, old_names=True),
        ),
        ("attention, alpha 2 of rank 4 in the metadata", unet(4, 2, ATTENTION), None, dict(metadata=True)),
        (
            "attention and convolutions, alpha 6 of rank 3",
            unet(3, 6, ATTENTION + CONVOLUTIONS),
            None,
            dict(metadata=True),
        ),
        ("ranks and alphas by pattern", mixed, None, dict(metadata=True)),
        (
            "with text encoder, alpha = rank, no metadata",
            unet(4, 4, ATTENTION),
            text(4, 4),
            dict(metadata=False),
        ),
        ("with text encoder, two alphas and ranks", unet(4, 8, ATTENTION), text(2, 1), dict(metadata=True)),
        (
            "with text encoder under text_model.",
            unet(4, 8, ATTENTION),
            text(2, 1),
            dict(metadata=True, text_prefix=True),
        ),
    ]
    made = []
    for i, (label, unet_config, text_config, how) in enumerate(specs):
        pipe = train(peer.fresh(), 100 + i, unet_config, text_config)
        made.append((label, save(pipe, folder, f"peft-{i}.safetensors", **how)))
    return made
