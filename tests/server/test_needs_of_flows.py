"""What the settings lack for a flow is told when the server loads it, not only when a call gets there."""

import logging

import pytest

from tests.server.world import World

ORDERS = """\
flow: orders
initial: start
on: {exhausted: bye, error: bye}
states:
  start: {http: {url: "https://api.contoso.example/orders", headers: {X-Key: "{{ secrets.shop }}"}}, next: tell}
  tell: {notify: {email: anna@contoso.example, text: A call.}, next: bye}
  bye: {say: Goodbye., final: true}
"""


async def test_the_operator_is_told_which_host_and_secret_the_settings_lack_and_that_no_mail_is_sent(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    (world.flows / "orders.yaml").write_text(ORDERS)
    with caplog.at_level(logging.WARNING):
        async with world.server(http_hosts=("shop.contoso.example",)):
            pass
    told = [record.__dict__ for record in caplog.records if record.message == "flow wants more"]
    assert [one["file"].rpartition("/")[2] for one in told] == ["orders.yaml:5", "orders.yaml:5", "orders.yaml:6"]
    assert [one["reason"] for one in told] == [
        "No request can go there: api.contoso.example:443 is not on the list IVR_HTTP_HOSTS.",
        'The settings have no secret "shop".',
        "No mail can be sent: IVR_SMTP_SERVER is not set.",
    ]
