"""A case that is one op at many sizes, beside the same of ours on one thread: what is shown is the worst size, and how much dearer a size is
than the one before it. Around the sizes where a backend takes a second thread either shows a cliff."""

from dataclasses import replace

SAMPLE_NS = 10e6  # calls are short and many


def points(case):
    """A case for each size, with one peer each."""
    return [
        replace(
            case,
            id=f"{case.id}-{size}",
            what=f"{case.what} {size}",
            sizes=(),
            peers=[replace(peer, case=f"{case.id}-{size}") for peer in case.peers],
            work=float(size**case.power),
        )
        for size in case.sizes
    ]


def joined(result, case, measured):
    """`result` with the figures of the worst of `measured`, `points` and `step`."""
    for point in measured:
        result["notes"] += [note for note in point["notes"] if note not in result["notes"]]
    result["points"] = [
        {"size": size, **{key: point[key] for key in ("ours", "theirs", "ratio", "spread")}}
        for size, point in zip(case.sizes, measured)
    ]
    result["step"] = None
    if not all(point["ratio"] for point in measured):
        return result
    worst = min(measured, key=lambda point: point["ratio"])
    result.update({key: worst[key] for key in ("ours", "theirs", "ratio", "spread", "peer", "peers")})
    result["met"] = all(point["met"] for point in measured)
    result["what"] = f"{case.what}: {worst['what'].rpartition(' ')[2]} of {case.sizes[0]} to {case.sizes[-1]}"
    cost = [point["ours"] / size**case.power for size, point in zip(case.sizes, measured)]
    result["step"], at = max((after / before, k) for k, (before, after) in enumerate(zip(cost, cost[1:])))
    sizes = f"{case.sizes[at]} and {case.sizes[at + 1]}"
    result["notes"].append(f"{case.what}: for its work a size takes at most {result['step']:.2f} times as long as the one before it ({sizes})")
    return result


def worst(results):
    """The figures of the row, those of its worst case, and its goal, which they share."""
    figures = ("ours", "theirs", "ratio", "spread")
    goal = {"goal": results[0]["goal"]}
    if not all(result["ratio"] for result in results):
        return goal | {key: None for key in figures}
    least = min(results, key=lambda result: result["ratio"])
    return goal | {key: least[key] for key in figures}
