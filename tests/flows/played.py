"""A calendar, as flows that play a provider have one: Graph's of the mailbox, and Google's primary one. No more of either than a test event needs."""
import datetime
import json
import re
import urllib.parse
import zoneinfo

WINDOWS = {"W. Europe Standard Time": "Europe/Berlin", "Eastern Standard Time": "America/New_York", "India Standard Time": "Asia/Kolkata", "UTC": "UTC"}


class Calendar:
    """`events`: by id, as they were written, with "at", the moment. `added`: how many ever were."""

    def __init__(self):
        self.events, self.added = {}, 0

    @staticmethod
    def moment(time):
        zone = zoneinfo.ZoneInfo(WINDOWS.get(time["timeZone"], time["timeZone"]))
        return datetime.datetime.fromisoformat(time["dateTime"]).replace(tzinfo=zone)

    def keep(self, id, given):
        self.events[id] = {**self.events.get(id, {}), **given, "id": id}
        self.events[id]["at"] = self.moment(given["start"])
        return self.events[id]

    def between(self, begin, end):
        begin, end = (datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (begin, end))
        return [e for e in self.events.values() if begin <= e["at"] < end]

    @staticmethod
    def plain(event):
        return {k: v for k, v in event.items() if k != "at"}

    def graph(self, method, path, prefer="", body=None):
        """(status, document) of what is asked behind "/v1.0/me"; None: it is not about events."""
        at, _, query = path.partition("?")
        options = dict(urllib.parse.parse_qsl(query))
        parts = [urllib.parse.unquote(p) for p in at.strip("/").split("/")]
        if at == "/calendarView":
            name = re.search(r'outlook\.timezone="([^"]*)"', prefer)
            name = name[1] if name else "UTC"
            zone = zoneinfo.ZoneInfo(WINDOWS[name])
            seen = self.between(options["startDateTime"], options["endDateTime"])
            return 200, {"value": [{**self.plain(e), "start": {"dateTime": e["at"].astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": name}} for e in seen]}
        if at == "/events" and method == "GET":
            return 200, {"value": [self.plain(e) for e in self.events.values()]}
        if at == "/events":
            self.added += 1
            return 201, self.plain(self.keep("AAk-event-%d" % self.added, json.loads(body)))
        if parts[0] != "events":
            return None
        if parts[1] not in self.events:
            return 404, {"error": {"code": "ErrorItemNotFound", "message": "x"}}
        if method == "PATCH":
            return 200, self.plain(self.keep(parts[1], json.loads(body)))
        if method == "DELETE" or parts[2:] == ["permanentDelete"]:
            del self.events[parts[1]]
            return 204, None
        return 200, self.plain(self.events[parts[1]])

    def google(self, method, path, body=None):
        """The same behind "/calendar/v3/calendars/primary"."""
        at, _, query = path.partition("?")
        options = dict(urllib.parse.parse_qsl(query))
        id = at[len("/events/"):]
        if not at.startswith("/events"):
            return None
        if at == "/events" and method == "GET":
            seen = self.between(options["timeMin"], options["timeMax"]) if "timeMin" in options else self.events.values()
            zone = zoneinfo.ZoneInfo(options.get("timeZone", "UTC"))
            return 200, {"items": [{**self.plain(e), "start": {**e["start"], "dateTime": e["at"].astimezone(zone).isoformat()}} for e in seen]}
        if at == "/events":
            self.added += 1
            given = json.loads(body)
            return 200, self.plain(self.keep(given["id"], given))
        if id not in self.events:
            return 404, {"error": {"code": 404, "message": "Not Found", "errors": [{"domain": "global", "reason": "notFound"}]}}
        if method == "DELETE":
            del self.events[id]
            return 204, None
        return 200, self.plain(self.keep(id, json.loads(body)) if method == "PATCH" else self.events[id])
