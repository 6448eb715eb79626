"""T4 in torch: one training step of a GPT with AdamW, compiled and eager, in f32 and with autocast to bf16."""

import torch
import torch.nn.functional as F

import fill
from torch_step import Growth, Step


def attention(x, qkv, qkv_bias, out, out_bias):
    heads = (fill.GPT_BATCH, fill.GPT_LENGTH, fill.GPT_HEADS, -1)
    parts = F.linear(x, qkv, qkv_bias).split(fill.GPT_WIDTH, dim=2)
    q, k, v = (part.view(heads).transpose(1, 2) for part in parts)
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return F.linear(y.transpose(1, 2).reshape(x.shape), out, out_bias)


def loss_of(params, x, y):
    width = (fill.GPT_WIDTH,)
    table, positions, *blocks, scale, bias = params
    h = F.embedding(x, table) + positions
    for i in range(0, len(blocks), 12):
        p = blocks[i : i + 12]
        h = h + attention(F.layer_norm(h, width, p[0], p[1]), *p[2:6])
        g = F.gelu(F.linear(F.layer_norm(h, width, p[6], p[7]), p[8], p[9]))
        h = h + F.linear(g, p[10], p[11])
    logits = F.linear(F.layer_norm(h, width, scale, bias), table)
    return F.cross_entropy(logits.view(-1, fill.GPT_VOCABULARY), y)


gradients = torch.func.grad_and_value(loss_of)


def loss_of_bf16(params, x, y):
    with torch.autocast("cpu", torch.bfloat16):
        return loss_of(params, x, y)


gradients_bf16 = torch.func.grad_and_value(loss_of_bf16)


def whole(gradients_of):
    def whole_step(params, first, second, step, x, y):
        """With the update of torch.optim.AdamW written out: `step` is a tensor, so that none recompiles."""
        grads, loss = gradients_of(params, x, y)
        step.add_(1)
        correction1 = 1 - 0.9**step
        correction2 = torch.sqrt(1 - 0.999**step)
        for p, g, m, v in zip(params, grads, first, second):
            p.mul_(1 - fill.GPT_RATE * fill.GPT_DECAY)
            m.lerp_(g, 0.1)
            v.mul_(0.999).addcmul_(g, g, value=0.001)
            p.sub_(fill.GPT_RATE / correction1 * m / (v.sqrt() / correction2 + 1e-8))
        return loss

    return whole_step


class Gpt(Step):
    loss, whole_step, gradients = map(staticmethod, (loss_of, whole(gradients), gradients))
    params, batches = map(staticmethod, (fill.gpt_params, fill.gpt_batches))
    moments, check_steps = 2, fill.GPT_CHECK_STEPS

    def optimizer(self):
        return torch.optim.AdamW(
            self.tensors, lr=fill.GPT_RATE, weight_decay=fill.GPT_DECAY, fused=True
        )


class GptBf16(Gpt):
    loss, whole_step, gradients = map(
        staticmethod, (loss_of_bf16, whole(gradients_bf16), gradients_bf16)
    )


gpt_cases = {
    "T4": Gpt("whole"), "T4-fused": Gpt("gradients"), "T4-eager": Gpt("eager"),
    "T4-bf16": GptBf16("whole"), "T4-bf16-fused": GptBf16("gradients"), "T4-bf16-eager": GptBf16("eager"),
    "S6/gpt": Growth(Gpt("eager")),
}  # fmt: skip
