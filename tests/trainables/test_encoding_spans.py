"""Windows of questions: the answer can be read off its tokens again, and nothing of the context is lost."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests import tokenizers
from trainables.encoding import Encoder
from trainables.encoding.spans import windows
from trainables.tasks.examples import Answer, Question


@pytest.fixture(params=tokenizers.KINDS, scope="module")
def tokenizer(request):
    return tokenizers.make(request.param)


SCRIPTS = "the cat  sat \n\t\u3000ไมเคิลชอบดนตรี 我喜欢音乐 وأحب الموسيقى \u200fשלום नमस्ते e\u0301 👩‍👩‍👧 😀 \ud83d ﬁ"
contexts = st.one_of(
    st.text(st.sampled_from(SCRIPTS), max_size=120),
    st.text(st.characters(blacklist_categories=("Cc",)), max_size=60),
)


@pytest.mark.parametrize("family", ["encoder", "decoder"])
@given(context=contexts, data=st.data())
@example(context="", data=None)
@example(context=" \n\u3000 ", data=None)
@example(context="\ud800", data=None)
@settings(max_examples=60, deadline=None)
def test_the_answer_is_in_its_tokens_and_every_character_in_a_window(tokenizer, family, context, data):
    start, end = (0, 0) if data is None or not context else sorted(data.draw(st.tuples(*[places(context)] * 2)))
    asked = Question("1", "the cat sat?", context, (Answer(context[start:end], start),))
    [item] = Encoder(tokenizer, family, 24).encode([asked])
    covered: set[int] = set()
    found = 0
    for row, first, offsets, (left, right) in zip(item.rows, item.starts, item.offsets, item.answers, strict=True):
        assert len(row) <= 24
        assert first + len(offsets) == len(row) - 1
        for begin, stop in offsets:
            covered.update(range(begin, stop))
            assert context[begin:stop] == context[begin:stop].strip(), "no blanks around a token"
        null = len(row) - 1 if family == "decoder" else 0
        if (left, right) == (null, null):
            continue
        found += 1
        begin, stop = offsets[left - first, 0], offsets[right - first, 1]
        wanted = set(range(start, end)) & covered
        assert wanted <= set(range(begin, stop)), "no character of the answer is missing"
        assert offsets[left - first, 1] > start and offsets[right - first, 0] < end, "no token too many"
    whole = re.sub("[\ud800-\udfff]", "\ufffd", context)  # halves of a pair, which the tokenizer alone would refuse
    everything = tokenizer(whole, add_special_tokens=False, return_offsets_mapping=True)
    in_tokens = {place for begin, stop in everything["offset_mapping"] for place in range(begin, stop)}
    assert covered == {place for place in in_tokens if not context[place].isspace()}
    if found == 0 and context[start:end].strip():
        inside = {place for place in range(start, end) if place in covered}
        tokens = sum(bool(inside & set(range(begin, stop))) for begin, stop in everything["offset_mapping"])
        assert tokens == 0 or tokens > 1, "an answer of one token is in some window"


def places(context):
    return st.integers(0, len(context))


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_a_long_context_has_overlapping_windows_and_the_rows_of_pairs(tokenizer, family):
    context = "the cat sat on the mat because it was warm " * 6
    start = context.rindex("mat")
    [item] = Encoder(tokenizer, family, 30).encode([Question("1", "the cat", context, (Answer("mat", start),))])
    question = tokenizer("the cat", add_special_tokens=False)["input_ids"]
    middle = [tokenizer.eos_token_id] * (1 if family == "decoder" else 2)
    assert len(item.rows) > 2
    for row, first in zip(item.rows, item.starts, strict=True):
        assert row[:first].tolist() == [tokenizer.bos_token_id, *question, *middle]
        assert row[-1] == tokenizer.eos_token_id
    null = {(len(row) - 1,) * 2 if family == "decoder" else (0, 0) for row in item.rows}
    assert item.answers[0] in null, "the answer lies beyond the first window"
    assert item.answers[-1] not in null


@given(st.integers(0, 400), st.integers(1, 60), st.integers(1, 60))
def test_windows_leave_no_gap(length, room, stride):
    found = windows(length, room, min(room, stride))
    assert found[0][0] == 0 and found[-1][1] == length
    assert all(end - begin <= room for begin, end in found)
    assert all(begin <= end for (_, end), (begin, _) in zip(found, found[1:], strict=False))


def test_a_question_is_cut_to_64_tokens_and_leaves_room_in_a_short_row(tokenizer):
    long = Question("1", "the cat sat on the mat " * 40, "it was warm", (Answer("warm", 7),))
    [wide] = Encoder(tokenizer, "encoder", 384).encode([long])
    assert wide.starts == (1 + 64 + 2,)
    [narrow] = Encoder(tokenizer, "encoder", 16).encode([long])
    assert narrow.starts == (1 + 6 + 2,)
    assert all(len(row) <= 16 for row in narrow.rows)


def test_the_first_answer_that_occurs_is_trained_on(tokenizer):
    context = "it was warm"
    answers = (Answer("hot", -1), Answer("warm", 7), Answer("it", 0))
    [item] = Encoder(tokenizer, "encoder", 32).encode([Question("1", "how was it", context, answers)])
    left, right = item.answers[0]
    begin, end = item.offsets[0][left - item.starts[0], 0], item.offsets[0][right - item.starts[0], 1]
    assert context[begin:end] == "warm"


def test_a_question_without_an_answer_points_to_the_null_place(tokenizer):
    asked = Question("1", "how was it", "it was warm", ())
    [first] = Encoder(tokenizer, "encoder", 32).encode([asked])
    [last] = Encoder(tokenizer, "decoder", 32).encode([asked])
    assert first.answers == ((0, 0),)
    assert last.answers == ((len(last.rows[0]) - 1,) * 2,)
