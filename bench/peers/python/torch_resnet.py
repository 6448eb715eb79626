"""T3 in torch: one training step of ResNet-18 with SGD, compiled and eager."""

import torch
import torch.nn.functional as F

import fill
from torch_step import Growth, Step


def conv_norm(params, x, stride):
    w, scale, bias = (next(params) for _ in range(3))
    y = F.conv2d(x, w, stride=stride, padding=w.shape[2] // 2)
    return F.batch_norm(y, None, None, scale, bias, training=True)


def loss_of(params, x, y):
    params = iter(params)
    large = x.shape[2] == fill.RESNET_LARGE[1]
    h = F.relu(conv_norm(params, x, 2 if large else 1))
    if large:
        h = F.max_pool2d(h, 3, 2, 1)
    for stage in range(4):
        for index in range(2):
            stride = 2 if stage and not index else 1
            g = F.relu(conv_norm(params, h, stride))
            g = conv_norm(params, g, 1)
            h = F.relu(g + (conv_norm(params, h, stride) if stride > 1 else h))
    return F.cross_entropy(F.linear(h.mean((2, 3)), next(params), next(params)), y)


gradients = torch.func.grad_and_value(loss_of)


def whole_step(params, count, x, y):
    grads, loss = gradients(params, x, y)
    for p, g in zip(params, grads):
        p.sub_(g, alpha=fill.RESNET_RATE)
    return loss


class Resnet(Step):
    def __init__(self, kind, size=fill.RESNET_SMALL):
        super().__init__(kind)
        self.size = size

    loss, whole_step, gradients = map(staticmethod, (loss_of, whole_step, gradients))
    layout, check_steps = torch.channels_last, fill.RESNET_CHECK_STEPS

    def params(self):
        return fill.resnet_params(*self.size)

    def batches(self):
        return fill.resnet_batches(*self.size)

    def optimizer(self):
        return torch.optim.SGD(self.tensors, lr=fill.RESNET_RATE, fused=True)


resnet_cases = {
    "T3": Resnet("whole"), "T3-eager": Resnet("eager"), "S6/resnet": Growth(Resnet("eager")),
    "T3/224": Resnet("whole", fill.RESNET_LARGE), "T3/224-eager": Resnet("eager", fill.RESNET_LARGE),
}  # fmt: skip
