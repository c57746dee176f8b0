"""The answer of a function with ReportBatchItemFailures, which AWS reads to the letter.

An unknown key or id counts as success there, and on the emulators: so its shape is tested here.
"""

from flashsale.batch import Message, Outcome
from flashsale.failures import Failure
from flashsale.sqs_event import failed_items, messages


def test_messages_carry_the_id_of_the_event():
    event = {"Records": [{"messageId": "m-1", "body": "{}", "receiptHandle": "r"}]}

    assert messages(event) == [Message("m-1", "{}")]


def test_no_failures_is_an_empty_list():
    assert failed_items(Outcome()) == {"batchItemFailures": []}


def test_failures_are_message_ids():
    outcome = Outcome(failures=[Failure("m-1", "because"), Failure("m-2", "because")])

    assert failed_items(outcome) == {
        "batchItemFailures": [{"itemIdentifier": "m-1"}, {"itemIdentifier": "m-2"}]
    }
