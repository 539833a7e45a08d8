//! Every route × everybody × every unit, against a table. The table is checked against the API's description: a
//! new route without a row fails the test, and so does a row without a route.
//!
//! A row says who has the right, in letters: `A`dministrator, `S`upervisor, `C`ase handler, auditor `X`; tokens
//! with scope `u`pload, `r`ead, `l`ink, a`d`min, audi`t`. It is written by hand, not made from the code it tests.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use docket_base::ids::RecordingId;
use docket_catalog::Role;
use serde_json::{Value, json};

use crate::call::{Answer, Caller};
use crate::world::{Place, World, world};

/// What a route is about, which decides how it says no.
#[derive(Debug, Clone, Copy, PartialEq)]
enum About {
    /// Anybody may.
    Nothing,
    /// One's own session: every user, no token.
    Session,
    /// A listing, narrowed to one's units: allowed or 403.
    Listing,
    /// The caller's own unit, whatever the place.
    Self_,
    /// Something of a unit: 403 without the right, 404 outside one's units.
    Unit,
    /// Somebody's upload: 403 without the right to send, 404 to everybody else.
    Sender,
    /// The whole system: only the root's people, of whom this test has none.
    Whole,
}

struct Row {
    route: &'static str,
    who: &'static str,
    about: About,
    /// Statuses that mean that it was allowed.
    allowed: &'static [u16],
}

const fn row(route: &'static str, about: About, who: &'static str) -> Row {
    row_as(route, about, who, &[200, 201, 204])
}

const fn row_as(
    route: &'static str,
    about: About,
    who: &'static str,
    allowed: &'static [u16],
) -> Row {
    Row {
        route,
        who,
        about,
        allowed,
    }
}

const EVERYBODY: &str = "ASCXurldt";

const TABLE: &[Row] = &[
    row("GET /healthz", About::Nothing, EVERYBODY),
    row("GET /readyz", About::Nothing, EVERYBODY),
    row("GET /metrics", About::Whole, "Ad"),
    row("GET /openapi.json", About::Nothing, EVERYBODY),
    row("GET /api", About::Nothing, EVERYBODY),
    row("GET /problems", About::Nothing, EVERYBODY),
    row("GET /problems/{slug}", About::Nothing, EVERYBODY),
    // Signing in is the test of its own: here with a wrong password.
    row_as("POST /v1/session", About::Nothing, EVERYBODY, &[401, 429]),
    row("GET /v1/session", About::Session, "ASCX"),
    row_as("POST /v1/session/password", About::Session, "ASCX", &[422]),
    row("GET /v1/users", About::Listing, "Ad"),
    row("POST /v1/users", About::Unit, "Ad"),
    row("PATCH /v1/users/{id}", About::Unit, "Ad"),
    row("GET /v1/tokens", About::Listing, "Ad"),
    row("POST /v1/tokens", About::Unit, "Ad"),
    row("DELETE /v1/tokens/{id}", About::Unit, "Ad"),
    row("GET /v1/units", About::Listing, EVERYBODY),
    row("POST /v1/units", About::Unit, "Ad"),
    row("PUT /v1/units/{id}", About::Unit, "Ad"),
    row("GET /v1/officers", About::Listing, EVERYBODY),
    row("POST /v1/officers", About::Unit, "Ad"),
    row("PUT /v1/officers/{id}", About::Unit, "Ad"),
    row("GET /v1/recorders", About::Listing, EVERYBODY),
    row("POST /v1/recorders", About::Unit, "Ad"),
    row("PUT /v1/recorders/{id}", About::Unit, "Ad"),
    row("POST /v1/recorders/{id}/assignments", About::Unit, "Ad"),
    row(
        "PUT /v1/recorders/{id}/assignments/{assignment}",
        About::Unit,
        "Ad",
    ),
    row("POST /v1/registers/import", About::Listing, "Ad"),
    row("GET /v1/stations", About::Listing, "ASCXurdt"),
    row("GET /v1/stations/{id}", About::Unit, "ASCXurdt"),
    row("PUT /v1/stations/self", About::Self_, "u"),
    row("GET /v1/dockings", About::Listing, "ASCXurdt"),
    row("GET /v1/dockings/{id}", About::Unit, "ASCXurdt"),
    row("POST /v1/dockings", About::Self_, "u"),
    // Only the station that reported it: these are other stations'.
    row("POST /v1/dockings/{id}/finish", About::Unit, ""),
    row("POST /v1/dockings/{id}/first", About::Unit, "ASCXr"),
    row("GET /v1/recordings", About::Listing, "ASCXrt"),
    row("GET /v1/recordings/{id}", About::Unit, "ASCXrt"),
    row("PATCH /v1/recordings/{id}", About::Unit, "S"),
    row("GET /v1/recordings/{id}/corrections", About::Unit, "ASCXrt"),
    row("POST /v1/recordings/{id}/corrections", About::Unit, "S"),
    row("GET /v1/recordings/{id}/clips", About::Unit, "ASCXrt"),
    // Nothing plays without a media worker: it is allowed, and not yet possible.
    row_as("POST /v1/recordings/{id}/clips", About::Unit, "SC", &[409]),
    row("GET /v1/recordings/{id}/markers", About::Unit, "ASCXrt"),
    row("POST /v1/recordings/{id}/markers", About::Unit, "SC"),
    row(
        "DELETE /v1/recordings/{id}/markers/{marker}",
        About::Unit,
        "SC",
    ),
    row("GET /v1/recordings/{id}/holds", About::Unit, "ASCXrt"),
    row("POST /v1/recordings/{id}/holds", About::Unit, "S"),
    row("DELETE /v1/recordings/{id}/holds/{hold}", About::Unit, "S"),
    row("GET /v1/recordings/{id}/custody", About::Unit, "ASCXrt"),
    row("GET /v1/recordings/{id}/receipt", About::Unit, "ASCXurt"),
    row("GET /v1/recordings/{id}/original", About::Unit, "ASCXr"),
    // No media worker here: what was allowed is told that it isn't looked at yet, or has no poster.
    row_as(
        "GET /v1/recordings/{id}/hls/index.m3u8",
        About::Unit,
        "ASCXr",
        &[409],
    ),
    row_as(
        "GET /v1/recordings/{id}/hls/init.mp4",
        About::Unit,
        "ASCXr",
        &[409],
    ),
    row_as(
        "GET /v1/recordings/{id}/hls/{segment}",
        About::Unit,
        "ASCXr",
        &[409],
    ),
    row(
        "POST /v1/recordings/{id}/playback-token",
        About::Unit,
        "ASCXr",
    ),
    row("GET /v1/recordings/{id}/poster.jpg", About::Unit, "ASCXr"),
    row(
        "GET /v1/recordings/{id}/storyboard.vtt",
        About::Unit,
        "ASCXr",
    ),
    row("GET /v1/recordings/{id}/{sheet}", About::Unit, "ASCXr"),
    row(
        "GET /v1/recordings/{id}/waveform.json",
        About::Unit,
        "ASCXr",
    ),
    row("GET /v1/recordings/{id}/track.json", About::Unit, "ASCXr"),
    // Nobody has a viewing open here.
    row_as(
        "POST /v1/recordings/{id}/shown",
        About::Unit,
        "ASCXr",
        &[409],
    ),
    row("GET /v1/cases", About::Listing, "ASCXrlt"),
    row("GET /v1/cases/{number}", About::Unit, "ASCXrlt"),
    row("PUT /v1/cases/{number}", About::Unit, "SCl"),
    row("POST /v1/cases/{number}/evidence", About::Unit, "SCul"),
    row(
        "PUT /v1/cases/{number}/evidence/{recording}",
        About::Unit,
        "SCul",
    ),
    row(
        "DELETE /v1/cases/{number}/evidence/{recording}",
        About::Unit,
        "SCl",
    ),
    row("GET /v1/events", About::Listing, "ASCXurdt"),
    row("GET /v1/ledger/key", About::Nothing, EVERYBODY),
    row("GET /v1/ledger/checkpoint", About::Nothing, EVERYBODY),
    row("GET /v1/ledger/tile/{path}", About::Whole, "Xt"),
    row("OPTIONS /files/", About::Nothing, EVERYBODY),
    row("OPTIONS /files/{id}", About::Nothing, EVERYBODY),
    row("POST /files/", About::Unit, "SCu"),
    row("GET /files/{id}", About::Unit, "ASCXr"),
    // Only who began an upload goes on with it: these are somebody else's.
    row("HEAD /files/{id}", About::Sender, "SCu"),
    row("PATCH /files/{id}", About::Sender, "SCu"),
    row("POST /files/{id}", About::Sender, "SCu"),
    row("DELETE /files/{id}", About::Sender, "SCu"),
    row("PUT /v1/recordings/{id}/hint", About::Sender, "SCu"),
    // Last, because it ends the session.
    row("DELETE /v1/session", About::Session, "ASCX"),
];

#[test]
fn the_table_has_every_route() {
    let document = serde_json::to_value(docket_http::openapi()).expect("serialises");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in ["get", "put", "post", "delete", "patch", "head", "options"] {
            if item.get(method).is_some() {
                described.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let table: BTreeSet<String> = TABLE.iter().map(|row| row.route.to_owned()).collect();
    assert_eq!(table.len(), TABLE.len(), "a route has two rows");
    let missing: Vec<_> = described.difference(&table).collect();
    assert!(missing.is_empty(), "routes without a row: {missing:?}");
    let gone: Vec<_> = table.difference(&described).collect();
    assert!(gone.is_empty(), "rows without a route: {gone:?}");
}

/// What stands in one unit.
struct Things {
    recording: RecordingId,
    hold: String,
    marker: String,
    officer: String,
    recorder: String,
    assignment: String,
    station: String,
    docking: String,
    user: String,
    token: String,
}

async fn things(world: &World, place: Place) -> Things {
    let unit = world.unit_at(place).to_string();
    let root = Place::Parent;
    let admin = world.token("admin", root).await;
    let people = world.signed_in(Role::Supervisor, root).await;
    let id = |answer: Answer| answer.json()["id"].as_str().expect("id").to_owned();

    let recording = world.recording(place, b"bytes of a recording").await;
    let holds = format!("/v1/recordings/{recording}/holds");
    let hold = people.post(&holds, json!({"reason": "review"})).await;
    let markers = format!("/v1/recordings/{recording}/markers");
    let marker = people.post(&markers, json!({"at_ms": 1, "text": "here"}));
    let marker = id(marker.await.expect(201));
    let cases = format!("/v1/cases/T1?unit={unit}");
    people.put(&cases, json!({})).await.expect(201);
    let officer =
        json!({"name": "王", "certificate_number": format!("c{}", world.fresh()), "unit": unit});
    let officer = id(admin.post("/v1/officers", officer).await.expect(201));
    let recorder = json!({"serial": format!("s{}", world.fresh()), "unit": unit});
    let recorder = id(admin.post("/v1/recorders", recorder).await.expect(201));
    let carried = json!({"officer": officer, "from_at": "2026-01-01T00:00:00Z", "until_at": "2026-02-01T00:00:00Z"});
    let path = format!("/v1/recorders/{recorder}/assignments");
    let carried = admin.post(&path, carried).await.expect(201).json();
    let assignment = carried["assignments"][0]["id"].as_str().expect("id");
    let uploader = world.token("upload", place).await;
    let station = uploader.put("/v1/stations/self", json!({"name": "采集站"}));
    let station = id(station.await.expect(200));
    let files = json!([{"path": "DCIM/x.mp4", "size_bytes": 1}]);
    let docking = json!({"bay": "1", "recorder_serial": "x", "started_at": "2026-01-01T00:00:00Z", "files": files});
    let docking = id(uploader.post("/v1/dockings", docking).await.expect(201));
    let user = json!({"name": format!("u{}", world.fresh()), "role": "auditor", "unit": unit, "password": "0123456789"});
    let user = id(admin.post("/v1/users", user).await.expect(201));
    let token = json!({"name": "t", "scopes": ["read"], "unit": unit});
    let token = id(admin.post("/v1/tokens", token).await.expect(201));
    Things {
        recording,
        hold: id(hold.expect(201)),
        marker,
        officer,
        recorder,
        assignment: assignment.to_owned(),
        station,
        docking,
        user,
        token,
    }
}

/// The address and body of one try.
fn request(world: &World, route: &str, place: Place, things: &Things) -> (String, Option<Value>) {
    let unit = world.unit_at(place).to_string();
    let n = world.fresh();
    let recording = things.recording.to_string();
    let (_, template) = route.split_once(' ').expect("method and path");
    let id = match template.split('/').nth(2).unwrap_or_default() {
        "recordings" => &recording,
        "stations" => &things.station,
        "dockings" => &things.docking,
        "users" => &things.user,
        "tokens" => &things.token,
        "units" => &unit,
        "officers" => &things.officer,
        "recorders" => &things.recorder,
        _ => "",
    };
    if template.starts_with("/files/") {
        let path = template.replace("{id}", &recording);
        return (format!("{path}?{unit}"), None);
    }
    let mut path = template
        .replace("{id}", id)
        .replace("{number}", "T1")
        .replace("{recording}", &recording)
        .replace("{hold}", &things.hold)
        .replace("{marker}", &things.marker)
        .replace("{assignment}", &things.assignment)
        .replace("{segment}", "0.m4s")
        .replace("{sheet}", "storyboard-0.jpg")
        .replace("{slug}", "not-found")
        .replace("{path}", "entries/000.p/1");
    if template.starts_with("/v1/cases/{number}") {
        path = format!("{path}?unit={unit}");
    }
    let body = match route {
        "POST /v1/session" => json!({"name": format!("nobody{n}"), "password": "wrong password"}),
        "POST /v1/session/password" => json!({"old": "wrong password", "new": "short"}),
        "POST /v1/users" => {
            json!({"name": format!("v{n}"), "role": "auditor", "unit": unit, "password": "0123456789"})
        }
        "PATCH /v1/users/{id}" => json!({"disabled": false}),
        "POST /v1/tokens" => json!({"name": "t", "scopes": ["read"], "unit": unit}),
        "POST /v1/units" => json!({"name": "n", "code": format!("n{n}"), "parent_id": unit}),
        "PUT /v1/units/{id}" => json!({"name": format!("n{n}"), "code": format!("u{n}")}),
        "POST /v1/officers" => {
            json!({"name": "李", "certificate_number": format!("d{n}"), "unit": unit})
        }
        "PUT /v1/officers/{id}" => json!({"name": "李", "certificate_number": format!("e{n}")}),
        "POST /v1/recorders" => json!({"serial": format!("r{n}"), "unit": unit}),
        "PUT /v1/recorders/{id}" => json!({"serial": format!("q{n}")}),
        "POST /v1/recorders/{id}/assignments" => {
            let (from, until) = (2000 + 2 * n, 2001 + 2 * n);
            json!({"officer": things.officer, "from_at": format!("{from}-01-01T00:00:00Z"),
                "until_at": format!("{until}-01-01T00:00:00Z")})
        }
        "PUT /v1/recorders/{id}/assignments/{assignment}" => {
            json!({"until_at": format!("2026-01-0{}T00:00:00Z", 2 + n % 8)})
        }
        "PUT /v1/stations/self" => json!({"name": "采集站"}),
        "POST /v1/dockings" => {
            json!({"bay": "1", "recorder_serial": "x", "started_at": "2026-01-01T00:00:00Z", "files": []})
        }
        "POST /v1/dockings/{id}/finish" => {
            json!({"finished_at": "2026-01-01T00:00:00Z", "outcome": "complete"})
        }
        "POST /v1/dockings/{id}/first" => json!({"path": "DCIM/x.mp4"}),
        "PATCH /v1/recordings/{id}" => json!({"notes": format!("note {n}")}),
        "POST /v1/recordings/{id}/corrections" => {
            json!({"field": "kind", "value": "other", "reason": "because"})
        }
        "POST /v1/recordings/{id}/holds" => json!({"reason": "because"}),
        "POST /v1/recordings/{id}/markers" => json!({"at_ms": 1, "text": "here"}),
        "POST /v1/recordings/{id}/clips" => {
            json!({"from_ms": 0, "until_ms": 1, "reason": "because"})
        }
        "POST /v1/recordings/{id}/shown" => json!({"stretches": []}),
        "POST /v1/cases/{number}/evidence" => {
            json!({"officer": things.officer, "from_at": "2026-01-01T00:00:00Z", "until_at": "2026-02-01T00:00:00Z"})
        }
        "PUT /v1/cases/{number}" | "PUT /v1/cases/{number}/evidence/{recording}" => json!({}),
        _ => return (path, None),
    };
    (path, Some(body))
}

async fn try_one(who: &Caller<'_>, row: &Row, (path, body): (String, Option<Value>)) -> u16 {
    let (method, _) = row.route.split_once(' ').expect("method and path");
    let who = who.with("if-match", "*");
    let answer = match row.route {
        "POST /v1/registers/import" => {
            let csv = ("text/csv".to_owned(), "code,name\n".to_owned());
            let path = format!("{path}?kind=units");
            who.send_body(method, &path, Some(csv)).await.status
        }
        _ if row.route.contains("/files/") => {
            let unit = path.split_once('?').map_or("", |(_, unit)| unit);
            let who = who
                .without("if-match")
                .with("tus-resumable", "1.0.0")
                .with("upload-length", "3")
                .with("upload-offset", "0")
                .with(
                    "upload-metadata",
                    &format!("unit {}", STANDARD.encode(unit)),
                )
                .with("x-http-method-override", "HEAD");
            let path = path.split('?').next().unwrap_or_default();
            match method {
                "PATCH" => {
                    let body = (
                        "application/offset+octet-stream".to_owned(),
                        "abc".to_owned(),
                    );
                    who.without("x-http-method-override")
                        .send_body(method, path, Some(body))
                        .await
                        .status
                }
                "POST" if path != "/files/" => who.send(method, path, None).await.status,
                _ => {
                    who.without("x-http-method-override")
                        .send(method, path, None)
                        .await
                        .status
                }
            }
        }
        "GET /v1/events" => who.open(method, &path, None).await.status(),
        "GET /v1/recordings/{id}/original" => who.without("if-match").get(&path).await.status,
        _ => who.send(method, &path, body).await.status,
    };
    answer.as_u16()
}

async fn everybody(world: &World) -> Vec<(char, Caller<'_>)> {
    let mut all = vec![('-', world.anonymous())];
    let roles = [
        ('A', Role::Administrator),
        ('S', Role::Supervisor),
        ('C', Role::CaseHandler),
        ('X', Role::Auditor),
    ];
    for (letter, role) in roles {
        all.push((letter, world.signed_in(role, Place::Own).await));
    }
    let scopes = [
        ('u', "upload"),
        ('r', "read"),
        ('l', "link"),
        ('d', "admin"),
        ('t', "audit"),
    ];
    for (letter, scope) in scopes {
        all.push((letter, world.token(scope, Place::Own).await));
    }
    all
}

/// Whether the status is the one that the table means.
fn is_right(row: &Row, letter: char, place: Place, status: u16) -> bool {
    let has_right = row.who.contains(letter);
    let looks = [
        "/poster.jpg",
        "/storyboard.vtt",
        "/{sheet}",
        "/waveform.json",
        "/track.json",
    ];
    let poster = looks.iter().any(|look| row.route.ends_with(look));
    match row.about {
        About::Nothing => row.allowed.contains(&status),
        _ if letter == '-' => status == 401,
        About::Session if "urldt".contains(letter) => status == 401 || status == 403,
        About::Session | About::Listing | About::Self_ if has_right => {
            row.allowed.contains(&status)
        }
        About::Session | About::Listing | About::Self_ => status == 403,
        About::Whole => status == 403,
        About::Unit if !place.is_in_reach() => status == 404,
        // There is no poster without a media worker: allowed and forbidden still differ.
        About::Unit if poster && has_right => status == 404,
        About::Unit if has_right => row.allowed.contains(&status),
        About::Sender if !place.is_in_reach() || has_right => status == 404,
        About::Unit | About::Sender => status == 403,
    }
}

#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says() {
    let world = world().await;
    let mut all_things = Vec::new();
    for place in Place::ALL {
        all_things.push((place, things(&world, place).await));
    }
    world.published().await;
    let everybody = everybody(&world).await;
    let mut wrong = Vec::new();
    for row in TABLE {
        for (letter, who) in &everybody {
            for (place, things) in &all_things {
                // One session ends only once.
                if row.route == "DELETE /v1/session" && *place != Place::Own {
                    continue;
                }
                let request = request(&world, row.route, *place, things);
                let status = try_one(who, row, request).await;
                if !is_right(row, *letter, *place, status) {
                    wrong.push(format!("{} as {letter} in {place:?}: {status}", row.route));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_stands_above_all_units_is_for_the_roots_people() {
    let world = world().await;
    world.recording(Place::Sub, b"bytes").await;
    world.published().await;
    let bundle = "/v1/ledger/tile/entries/000.p/1";
    let auditor = world.signed_in(Role::Auditor, Place::Parent).await;
    assert!(auditor.get(bundle).await.status != 403);
    let reader = world.token("read", Place::Parent).await;
    reader.get(bundle).await.expect(403);
}

/// The upload scope's own dockings, which the table can't say.
#[tokio::test]
async fn only_the_station_that_reported_a_docking_ends_it() {
    let world = world().await;
    let (one, other) = (
        world.token("upload", Place::Own).await,
        world.token("upload", Place::Own).await,
    );
    let docking = json!({"bay": "1", "recorder_serial": "x", "started_at": "2026-01-01T00:00:00Z", "files": []});
    let id = one.post("/v1/dockings", docking).await.expect(201).json()["id"].clone();
    let path = format!("/v1/dockings/{}/finish", id.as_str().expect("id"));
    let end = json!({"finished_at": "2026-01-01T01:00:00Z", "outcome": "complete"});
    other
        .put("/v1/stations/self", json!({"name": "b"}))
        .await
        .expect(200);
    other.post(&path, end.clone()).await.expect(403);
    one.post(&path, end.clone()).await.expect(204);
    one.post(&path, end).await.expect(204);
}
