"""What schemathesis can't know: tokens that are good for each call, and ids of things that exist."""

import os
import random
import uuid

import requests
import schemathesis
from schemathesis.core import NotSet

URL = os.environ["FUZZ_URL"]
TOKENS = os.environ["FUZZ_TOKENS"] == "valid"
KEYS = {"admin_key": os.environ["BOOKING_ADMIN_KEY"], "service_key": os.environ["BOOKING_SERVICE_KEY"]}
CONCERTS = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"concert {n}")) for n in range(5)]
PERFORMANCES = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"performance {n}")) for n in range(5)]

chance = random.Random(7)
session = requests.Session()


def call(method, path, token, body=None, expect=(200, 201, 204)):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = session.request(method, URL + path, headers=headers, json=body)
    if answer.status_code not in expect:
        raise RuntimeError(f"fuzz-api: {method} {path} answered {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else None


def stock():
    """Concerts with more seats than a run can take."""
    for concert, performance in zip(CONCERTS, PERFORMANCES):
        show = {"performance_id": performance, "venue": "Hall", "starts_at": "2099-05-04T19:30:00+09:00", "price": 7, "seats": 20000}
        body = {"concerts": [{"concert_id": concert, "title": "Concert", "performances": [show]}]}
        call("POST", "/v1/admin/concerts", KEYS["admin_key"], body)


def first_event(send):
    """A stream need not end: what is looked at is how it begins."""

    def looked_at(session, request, **kwargs):
        answer = send(session, request, **{**kwargs, "stream": True})
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer._content = next(answer.iter_content(None), b"")
            answer.close()
        elif not kwargs.get("stream"):
            answer.content
        return answer

    return looked_at


requests.Session.send = first_event(requests.Session.send)


class Buyer:
    def __init__(self):
        made = call("POST", "/v1/users", None)
        self.user, self.user_token = made["user_id"], made["user_token"]
        self.reservation = self.payment = None

    def queue_token(self):
        """The live one, or a new one if that is done."""
        return call("POST", "/v1/queue/tokens", self.user_token)["queue_token"]

    def hold(self):
        body = {"performance_id": chance.choice(PERFORMANCES), "seats": [chance.randint(1, 20000)]}
        made = call("POST", "/v1/reservations", self.queue_token(), body, (201, 401, 409, 429))
        self.reservation = made.get("reservation_id", self.reservation)

    def pay(self):
        headers = {"authorization": f"Bearer {self.user_token}", "idempotency-key": str(uuid.uuid4())}
        session.post(URL + "/v1/wallet/charges", headers=headers, json={"amount": 7})
        body = {"reservation_id": self.reservation or str(uuid.uuid4())}
        made = call("POST", "/v1/payments", self.queue_token(), body, (201, 401, 402, 403, 404, 409, 429))
        self.payment = made.get("payment_id", self.payment)


stock()
buyers = [Buyer()]


def buyer():
    return buyers[-1]


def existing(operation, name):
    """Something of that name that exists, for about every second case."""
    path = operation.path
    if name == "concert_id" or path.startswith("/v1/concerts/"):
        return chance.choice(CONCERTS)
    if name == "performance_id" or path.startswith(("/v1/performances/", "/v1/admin/performances/")):
        return chance.choice(PERFORMANCES)
    if name == "payment_id" or path.startswith("/v1/admin/payments/"):
        return buyer().payment
    if name == "user_id" or path.startswith("/v1/admin/users/"):
        return buyer().user
    return buyer().reservation


def is_id(value):
    try:
        return isinstance(value, str) and len(value) == 36 and bool(uuid.UUID(value))
    except ValueError:
        return False


def with_existing(operation, values):
    # An id takes the place of an id only, so that what was made to be wrong stays wrong.
    if isinstance(values, dict):
        for name, value in values.items():
            if is_id(value) and chance.random() < 0.5:
                values[name] = existing(operation, name) or value


def plain(value):
    """To JSON Schema 7.0 is an integer. This service takes integers written as such only, so that no sum is ever rounded."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


@schemathesis.hook
def before_call(ctx, case, kwargs):
    # Nobody could do anything any more if the lane everybody is in was closed.
    if case.method.upper() == "PATCH" and (case.path_parameters or {}).get("lane") == "main":
        case.path_parameters["lane"] = "fuzzed"
    if not isinstance(case.body, NotSet):
        case.body = plain(case.body)
    with_existing(case.operation, case.path_parameters)
    with_existing(case.operation, case.body)


@schemathesis.auth(refresh_interval=None)
class Tokens:
    def get(self, case, ctx):
        schemes = [name for needed in case.operation.definition.raw.get("security", []) for name in needed]
        if not TOKENS or not schemes:
            return None
        scheme = chance.choice(schemes)
        if scheme in KEYS:
            return KEYS[scheme]
        if chance.random() < 0.3:
            buyers.append(Buyer())
        who = buyer()
        if chance.random() < 0.5:
            who.hold()
            if chance.random() < 0.5:
                who.pay()
        if scheme == "user_token":
            return who.user_token
        return who.queue_token()

    def set(self, case, data, ctx):
        # With the service key a charge names the user, which a schema can't say.
        if data == KEYS["service_key"] and isinstance(case.body, dict) and case.body.get("user_id") is None:
            case.body["user_id"] = buyer().user
        if data:
            case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
