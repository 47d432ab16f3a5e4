from __future__ import annotations

import json
from reprlib import repr as shown
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitscrape.items import ResourceSource
from civitscrape.parsers.generation import Generation, normalise
from civitscrape.parsers.resources import Resource

SAMPLER = {
    "3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lantern", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["4", 1]}},
}


def test_flat_data_are_read():
    meta = {
        "prompt": "a lantern",
        "negativePrompt": "fog",
        "sampler": "Euler a",
        "steps": 30,
        "cfgScale": 4.5,
        "seed": 7,
        "Size": "512x768",
        "Model": "harbourmix",
    }

    found = normalise(meta)

    assert found == Generation(
        prompt="a lantern",
        negative_prompt="fog",
        sampler="Euler a",
        steps=30,
        cfg_scale=4.5,
        seed=7,
        size="512x768",
        model="harbourmix",
        meta=meta,
    )


@pytest.mark.parametrize("wraps", range(4))
def test_data_are_found_however_often_they_are_wrapped(wraps):
    inner = {"prompt": "a lantern"}
    meta: dict[str, Any] = inner
    for _ in range(wraps):
        meta = {"id": 7, "meta": meta}

    found = normalise(meta)

    assert found.prompt == "a lantern"
    assert found.meta is inner


def test_a_tool_s_own_key_named_meta_is_no_wrapping():
    meta = {"prompt": "a lantern", "meta": {"prompt": "something else"}}

    found = normalise(meta)

    assert found.prompt == "a lantern"
    assert found.meta is meta


def test_wrapping_without_end_is_taken_off():
    meta: Any = None
    for _ in range(50_000):
        meta = {"id": 7, "meta": meta}

    assert normalise(meta) == Generation()


@pytest.mark.parametrize(
    "meta", [None, "a lantern", 7, 1.5, True, [], [{"prompt": "a lantern"}], {"id": 7, "meta": None}]
)
def test_what_is_no_object_gives_nothing(meta):
    assert normalise(meta) == Generation()


@pytest.mark.parametrize("key", ["negativePrompt", "Negative prompt", "negative_prompt", "Negative Prompt"])
def test_the_negative_prompt_is_found_under_any_spelling(key):
    assert normalise({key: "fog"}).negative_prompt == "fog"


@pytest.mark.parametrize("key", ["cfgScale", "CFG scale", "cfg_scale", "CFG Scale", "cfg"])
def test_the_guidance_is_found_under_any_spelling(key):
    assert normalise({key: 7}).cfg_scale == 7.0


@pytest.mark.parametrize(
    ("meta", "field", "expected"),
    [
        ({"Steps": "30"}, "steps", 30),
        ({"steps": "30.0"}, "steps", 30),
        ({"steps": " 30 "}, "steps", 30),
        ({"steps": 30.5}, "steps", None),
        ({"steps": "thirty"}, "steps", None),
        ({"steps": True}, "steps", None),
        ({"steps": "٣٠"}, "steps", None),
        ({"CFG scale": "7.0"}, "cfg_scale", 7.0),
        ({"cfgScale": "1,5"}, "cfg_scale", 1.5),
        ({"cfgScale": "1e999"}, "cfg_scale", None),
        ({"cfgScale": float("nan")}, "cfg_scale", None),
        ({"cfgScale": 10**400}, "cfg_scale", None),
        ({"seed": "1730488213"}, "seed", 1730488213),
        ({"seed": -1}, "seed", -1),
        ({"seed": 2**63 - 1}, "seed", 2**63 - 1),
        ({"seed": 2**63}, "seed", None),
        ({"seed": "99999999999999999999"}, "seed", None),
        ({"Sampler": "Euler a"}, "sampler", "Euler a"),
        ({"sampler": {"name": "Euler a"}}, "sampler", "Euler a"),
        ({"sampler": ["Euler a"]}, "sampler", None),
        ({"Model": {"v2": "harbourmix"}}, "model", "harbourmix"),
        ({"Model": {"name": "harbourmix", "id": 5}}, "model", "harbourmix"),
        ({"Model": {"a": 1, "b": 2}}, "model", None),
        ({"Model": {}}, "model", None),
        ({"Model": 15}, "model", "15"),
        ({"model": "control_depth [fef5e48e]"}, "model", None),
        ({"models": ["harbourmix.safetensors"]}, "model", "harbourmix.safetensors"),
        ({"models": [{}]}, "model", None),
        ({"size": "512x768"}, "size", "512x768"),
        ({"width": 512, "height": "768"}, "size", "512x768"),
        ({"width": 512}, "size", None),
        ({"Size": {}, "width": 512, "height": 768}, "size", "512x768"),
        ({"prompt": ""}, "prompt", None),
        ({"prompt": " \n"}, "prompt", None),
        ({"prompt": None, "Prompt": "a lantern"}, "prompt", "a lantern"),
        ({"prompt": {"text": "a lantern", "weight": 1}}, "prompt", "a lantern"),
        ({"prompt": {"a": 1}}, "prompt", None),
        ({"prompt": ["a lantern"]}, "prompt", None),
        ({"prompt": 7}, "prompt", "7"),
        ({"prompt": 10**400}, "prompt", None),
    ],
    ids=shown,
)
def test_a_value_is_read_in_whatever_form_it_came(meta, field, expected):
    found = normalise(meta)

    assert getattr(found, field) == expected
    assert found.meta is meta


@pytest.mark.parametrize(
    "comfy",
    [
        {"prompt": SAMPLER, "workflow": {"nodes": []}},
        json.dumps({"prompt": SAMPLER, "workflow": {"nodes": []}}),
        {"prompt": json.dumps(SAMPLER)},
        SAMPLER,
    ],
    ids=["object", "text", "text in object", "bare graph"],
)
def test_missing_prompts_come_from_the_graph(comfy):
    found = normalise({"steps": 20, "comfy": comfy})

    assert found.prompt == "a lantern"
    assert found.negative_prompt == "fog"


def test_a_flat_prompt_wins_over_the_graph():
    found = normalise({"prompt": "a harbour", "comfy": {"prompt": SAMPLER}})

    assert found.prompt == "a harbour"
    assert found.negative_prompt is None


def test_a_graph_in_the_place_of_the_prompt_is_read():
    found = normalise({"prompt": SAMPLER})

    assert found.prompt == "a lantern"
    assert found.negative_prompt == "fog"


def test_texts_are_followed_through_the_nodes_between():
    graph = {
        "1": {"class_type": "SamplerCustomAdvanced", "inputs": {"guider": ["2", 0]}},
        "2": {"class_type": "BasicGuider", "inputs": {"conditioning": ["3", 0], "model": ["9", 0]}},
        "3": {"class_type": "FluxGuidance", "inputs": {"conditioning": ["4", 0], "guidance": 2.2}},
        "4": {"class_type": "CLIPTextEncode", "inputs": {"text": ["5", 0]}},
        "5": {"class_type": "String Literal", "inputs": {"string": "a lantern"}},
    }

    found = normalise({"comfy": {"prompt": graph}})

    assert found.prompt == "a lantern"
    assert found.negative_prompt is None


def test_a_zeroed_negative_is_no_negative_prompt():
    graph = SAMPLER | {"7": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["6", 0]}}}

    found = normalise({"comfy": {"prompt": graph}})

    assert found.prompt == "a lantern"
    assert found.negative_prompt is None


@pytest.mark.parametrize(
    "comfy",
    [
        "",
        "{broken",
        "[" * 100_000,
        "null",
        [],
        7,
        {"prompt": None},
        {"prompt": {"3": None, "4": {"inputs": []}}},
        {"prompt": {"3": {"class_type": "KSampler", "inputs": {"positive": ["nowhere", 0]}}}},
        {"prompt": {"3": {"class_type": "KSampler", "inputs": {"positive": [["6"], 0]}}}},
        {"prompt": {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "an orphan"}}}},
        {
            "prompt": {
                "3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0]}},
                "6": {"class_type": "Reroute", "inputs": {"conditioning": ["6", 0]}},
            }
        },
    ],
    ids=shown,
)
def test_a_graph_that_does_not_tell_plainly_tells_nothing(comfy):
    found = normalise({"steps": 20, "comfy": comfy})

    assert found.prompt is None
    assert found.negative_prompt is None
    assert found.steps == 20


CIVITAI = {"type": "checkpoint", "modelVersionId": 29}
LISTED = {"name": "oldpaper", "type": "LORA", "weight": 0.5, "hash": "E6FB"}


def test_the_best_list_of_resources_wins_as_a_whole():
    meta = {"prompt": "<lora:stray:1>", "resources": [LISTED], "hashes": {"model": "ab"}, "civitaiResources": [CIVITAI]}

    found = normalise(meta)

    assert found.resources == [
        Resource(model_version_id=29, type="checkpoint", source=ResourceSource.CIVITAI_RESOURCES)
    ]


@pytest.mark.parametrize("better", [[], [None], [{}], "none", {}])
def test_an_empty_list_of_resources_gives_way(better):
    found = normalise({"resources": [LISTED], "civitaiResources": better})

    assert found.resources == [
        Resource(name="oldpaper", type="lora", weight=0.5, hash="e6fb", source=ResourceSource.RESOURCES)
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("LORA", "lora"),
        ("model", "checkpoint"),
        ("embed", "textualinversion"),
        ("hypernet", "hypernetwork"),
        ("ImageJobNetworkParams { Strength = 0.75, TriggerWord = , Type = Lora }", "lora"),
        ("ImageJobNetworkParams { Strength = 1, TriggerWord = calm, Type = TextualInversion }", "textualinversion"),
        (None, None),
        ({}, None),
    ],
)
def test_the_type_of_a_resource_is_one_word_of_the_site(word, expected):
    found = normalise({"civitaiResources": [{"modelVersionId": 29, "type": word}]})

    assert found.resources[0].type == expected


def test_hashes_go_to_the_resources_they_belong_to():
    meta = {
        "Model": "harbourmix",
        "resources": [{"name": "oldpaper", "type": "lora"}, {"name": "harbourmix", "type": "model"}],
        "hashes": {"lora:oldpaper": "E6FB", "model": "AB12", "vae": "735E", "unprefixed": "77", "lora:odd": {}},
    }

    found = normalise(meta)

    assert [(one.name, one.type, one.hash) for one in found.resources] == [
        ("oldpaper", "lora", "e6fb"),
        ("harbourmix", "checkpoint", "ab12"),
        (None, "vae", "735e"),
        ("unprefixed", None, "77"),
    ]


def test_a_resource_keeps_the_hash_it_has():
    found = normalise({"resources": [LISTED], "hashes": {"lora:oldpaper": "other"}})

    assert [one.hash for one in found.resources] == ["e6fb"]


def test_a_urn_among_additional_resources_names_its_version():
    name = "urn:air:sdxl:lora:civitai:880101@1204411"

    found = normalise({"additionalResources": [{"name": name, "strength": 0.8}, {"name": "oldpaper", "type": "lora"}]})

    assert found.resources == [
        Resource(model_version_id=1204411, name=name, type="lora", weight=0.8),
        Resource(name="oldpaper", type="lora"),
    ]


def test_the_prompt_names_resources_where_no_list_does():
    found = normalise(
        {"prompt": "a lantern <lora:oldpaper:0.6> <lora:oldpaper:1> <lora: calm > <lora::1>", "resources": []}
    )

    assert found.resources == [
        Resource(name="oldpaper", type="lora", weight=0.6, source=ResourceSource.DETECTED),
        Resource(name="calm", type="lora", source=ResourceSource.DETECTED),
    ]


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
PLAIN = ["prompt", "Prompt", "negativePrompt", "steps", "cfgScale", "seed", "Size", "width", "height", "Model", "id"]
LISTED_NAMES = ["name", "type", "weight", "hash", "air", "modelVersionId", "model", "inputs", "class_type", "text"]
NAMES = [*PLAIN, *LISTED_NAMES, "resources", "civitaiResources", "additionalResources", "hashes", "meta", "comfy"]
anything = st.recursive(
    scalars | st.sampled_from(["KSampler", "{}", '{"prompt":{}}', "lora", "urn:air:a:b:civitai:1@2", "<lora:a:1>"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(anything)
def test_any_json_value_is_read_without_an_error(meta):
    found = normalise(meta)

    assert found.meta is None or isinstance(found.meta, dict)
    for text in (found.prompt, found.negative_prompt, found.sampler, found.size, found.model):
        assert text is None or (isinstance(text, str) and text.strip())
    for whole in (found.steps, found.seed):
        assert whole is None or -(2**63) <= whole < 2**63
    assert all(isinstance(one, Resource) for one in found.resources)


node = st.fixed_dictionaries(
    {
        "class_type": st.sampled_from(["KSampler", "CLIPTextEncode", "BasicGuider", "ConditioningZeroOut"]),
        "inputs": st.dictionaries(
            st.sampled_from(["positive", "negative", "guider", "conditioning", "text", "string"]),
            st.text(max_size=4) | st.tuples(st.sampled_from("1234"), st.just(0)).map(list) | scalars,
        ),
    }
)


@given(st.dictionaries(st.sampled_from("1234"), node | anything))
def test_any_graph_is_followed_to_an_end(graph):
    found = normalise({"comfy": {"prompt": graph}})

    assert found.prompt is None or isinstance(found.prompt, str)
