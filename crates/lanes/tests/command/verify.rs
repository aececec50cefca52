//! `lanes verify` without a mesh: what it says of answers, and that it is documented. The suite of the Envoy tier has meshes.

use std::{collections::BTreeMap, fs, time::Duration};

use lanes::{
    document::LaneGroup,
    explain,
    verify::{Answer, Asked, Check, Expected, Hop, Judge, Plan, Probe, Report, Source, Status, Versions},
};
use strum::VariantArray;

use super::{manifest, run};

fn group(walkthrough: &str, from: &str, to: &str) -> LaneGroup {
    let text = fs::read_to_string(manifest(walkthrough)).unwrap();
    assert!(text.contains(from));
    lanes::file::read("group", &text.replace(from, to)).groups.remove(0)
}

fn plan(group: &LaneGroup) -> Plan {
    let host = "gateway".to_owned();
    Plan::of(group, &Asked { method: "GET".to_owned(), path: None, host, headers: Vec::new(), requests: 400 }).unwrap()
}

/// A mesh where nothing is wrong but what `change` does. By chance, the lanes come in their order, as their weights have it.
fn report(group: &LaneGroup, with_headers: bool, change: impl Fn(&Probe, &str, &mut Vec<Hop>)) -> Report {
    let (plan, versions) = (plan(group), Versions::of(&group.spec, None).unwrap());
    let mut judge = Judge::new(group, &plan, &versions, with_headers);
    for (index, probe) in plan.probes.iter().enumerate() {
        for number in 0..probe.sends {
            let Some((lane, chain)) = chosen(probe, number) else {
                judge.take(index, &Answer { status: Some(404), ..Answer::default() });
                continue;
            };
            let mut hops = chain.iter().map(|hop| right(group, hop, &lane, with_headers)).collect();
            change(probe, &lane, &mut hops);
            let (took, cookies) = (Duration::from_millis(3), probe.issued.iter().cloned().collect());
            judge.take(index, &Answer { status: Some(200), hops, took, cookies, ..Answer::default() });
        }
    }
    judge.report()
}

fn chosen(probe: &Probe, number: usize) -> Option<(String, Vec<explain::Hop>)> {
    match &probe.expected {
        Expected::Lane(lane, chain) => Some((lane.clone(), chain.clone())),
        Expected::Nowhere => None,
        Expected::Chance(lanes) => {
            let mut rest = (number * 37 % 100) as f64;
            let mut lanes = lanes.iter();
            lanes
                .find(|(_, weight, _)| match rest < *weight {
                    true => true,
                    false => {
                        rest -= weight;
                        false
                    }
                })
                .map(|(lane, _, chain)| (lane.clone(), chain.clone()))
        }
    }
}

/// What is right at a hop: the version of the lane and, if they are asked for, the headers.
fn right(group: &LaneGroup, hop: &explain::Hop, lane: &str, with_headers: bool) -> Hop {
    let spec = &group.spec;
    let labels = &spec.lane(hop.lane.as_ref().unwrap()).unwrap().labels;
    let headers: BTreeMap<String, String> =
        [(spec.route_header.clone(), lane.to_owned()), ("baggage".to_owned(), format!("a=1,version={lane}"))].into();
    let version = labels.values().next().unwrap().clone();
    Hop { service: hop.service.clone(), version, headers: with_headers.then_some(headers) }
}

fn failed(report: &Report) -> Vec<Check> {
    report.checks.iter().filter(|outcome| outcome.status == Status::Failed).map(|outcome| outcome.check).collect()
}

#[test]
fn nothing_is_wrong_about_what_is_right() {
    for walkthrough in ["user-segment", "strict", "strict-source-labels", "permissive-baggage", "permissive"] {
        for with_headers in [true, false] {
            let report = report(&group(walkthrough, "spec:", "spec:"), with_headers, |_, _, _| {});
            assert_eq!(failed(&report), [], "{walkthrough}: {:#?}", report.checks);
        }
    }
}

#[test]
fn a_visitor_is_in_any_lane_of_the_split_and_gets_a_cookie() {
    let identity = "identity: [{header: x-user-id}, {cookie: lane_uid, issue: {maxAge: 720h}}]";
    let group = group("user-segment", "identity: [{header: x-user-id}]", identity);
    assert_eq!(failed(&report(&group, true, |_, _, _| {})), []);

    let (plan, versions) = (plan(&group), Versions::of(&group.spec, None).unwrap());
    let of_visitors = |probe: &&Probe| probe.issued.is_some();
    assert_eq!(
        plan.probes.iter().filter(of_visitors).map(|probe| probe.check).collect::<Vec<_>>(),
        [Check::WithoutIdentity]
    );
    let (index, probe) = plan.probes.iter().enumerate().find(|(_, probe)| of_visitors(probe)).unwrap();
    for lane in ["s1", "s2"] {
        for (cookie, expected) in [("lane_uid", vec![]), ("session", vec![Check::WithoutIdentity])] {
            let mut judge = Judge::new(&group, &plan, &versions, true);
            let (_, chain) = probe.expected.chains().find(|(found, _)| *found == lane).unwrap();
            let hops = chain.iter().map(|hop| right(&group, hop, lane, true)).collect();
            let cookies = vec![cookie.to_owned()];
            judge.take(index, &Answer { status: Some(200), hops, cookies, ..Answer::default() });
            assert_eq!(failed(&judge.report()), expected, "{lane} {cookie}");
        }
    }
}

/// From the second service on the tag is lost, by what `carries` leaves in the baggage.
fn lost(group: &LaneGroup, carries: [bool; 2]) -> Report {
    report(group, true, |_, lane, hops| {
        for (hop, carries) in hops.iter_mut().zip(carries) {
            if !carries {
                hop.headers.as_mut().unwrap().remove("baggage");
            }
        }
        if lane != group.spec.baseline {
            hops[1..].iter_mut().for_each(|hop| {
                hop.headers.as_mut().unwrap().remove(&group.spec.route_header);
                hop.version = "v1".to_owned();
            });
        }
    })
}

#[test]
fn whoever_loses_the_tag_is_named() {
    let group = group("permissive-baggage", "spec:", "spec:");
    for (carries, check, cause) in [
        (
            [true, false],
            Check::CarrierIsForwarded,
            "the application of mocka got `baggage` with the member `version` and did not",
        ),
        (
            [true, true],
            Check::TagIsCarried,
            "the sidecar of mocka did not carry the tag although the application forwarded",
        ),
        ([false, false], Check::TagIsCarried, "the sidecar of mocka did not carry the tag"),
    ] {
        let report = lost(&group, carries);
        assert_eq!(failed(&report), [check]);
        let findings: Vec<_> = report.checks.iter().flat_map(|outcome| &outcome.findings).collect();
        assert!(findings.iter().all(|finding| finding.cause.starts_with(cause)), "{carries:?}: {findings:#?}");
        assert!(
            findings.iter().any(|finding| finding.what == "lane v2 was lost between mocka and mockb"),
            "{findings:#?}"
        );
    }
}

#[test]
fn a_spoofed_lane_is_found_also_where_chance_decides() {
    let group = group("permissive-baggage", "clients: mayChoose", "clients: mayNot");
    let spoofed = report(&group, false, |probe, _, hops| {
        if let (Check::SpoofedTag, Some(lane)) = (probe.check, &probe.spoofed) {
            let chain = ["mocka", "mockb", "mockc"].into_iter().zip(match lane.as_str() {
                "v2" => ["v2", "v1", "v2"],
                "v3" => ["v3", "v3", "v1"],
                _ => ["v1"; 3],
            });
            *hops = chain
                .map(|(service, version)| Hop { service: service.into(), version: version.into(), headers: None })
                .collect();
        }
    });
    assert_eq!(failed(&spoofed), [Check::SpoofedTag], "{:#?}", spoofed.checks);
}

#[test]
fn a_gateway_of_which_one_pod_disagrees_is_no_matter_of_pods() {
    let group = group("user-segment", "spec:", "spec:");
    let count = std::cell::Cell::new(0);
    let flaps = report(&group, true, |_, lane, hops| {
        count.set(count.get() + 1);
        if lane == "s2" && count.get() % 2 == 0 {
            hops.iter_mut().for_each(|hop| {
                hop.version = "v1".to_owned();
                hop.headers.as_mut().unwrap().remove("x-asm-prefer-tag");
            });
        }
    });
    assert_eq!(failed(&flaps).first(), Some(&Check::SameUserSameLane), "{:#?}", flaps.checks);
}

#[test]
fn an_answer_says_it_in_a_header_or_in_json_too() {
    let group = group("user-segment", "spec:", "spec:");
    let read = |source: &str, header: Option<&str>, body: &str| {
        let source: Source = source.parse().unwrap();
        let hops = source.read(&group.spec, "mocka", |_| header.map(str::to_owned), body);
        hops.into_iter().map(|hop| format!("{} {}", hop.service, hop.version)).collect::<Vec<_>>()
    };
    assert_eq!(read("header:x-served-by", Some("v1"), ""), ["mocka v1"]);
    assert_eq!(read("header:x-served-by", Some("v1, v1,v2"), ""), ["mocka v1", "mockb v1", "mockc v2"]);
    assert_eq!(read("mockb=json:/a/0", None, r#"{"a": ["v2"]}"#), ["mockb v2"]);
    assert_eq!(read("json:/a", None, r#"{"a": ["v1", "v2"]}"#), ["mocka v1", "mockb v2"]);
    assert_eq!(
        read("sample", None, "-> mocka(version: v1, ip: 1)-> mockb(version: v2, ip: 2)"),
        ["mocka v1", "mockb v2"]
    );
    assert_eq!(read("sample", None, "<html>"), [""; 0]);
    for wrong in ["header:", "json:a", "body", "x=sample"] {
        assert!(wrong.parse::<Source>().is_err(), "{wrong}");
    }
}

#[test]
fn a_gateway_that_is_not_there_is_said() {
    let arguments =
        ["verify", &manifest("user-segment"), "--gateway", "http://127.0.0.1:1", "--requests", "2", "--rate", "1000"];
    let (status, stdout, _) = run(&arguments);
    assert_eq!(status, 1);
    assert!(stdout.contains("× requests-are-answered"), "{stdout}");
    assert!(stdout.contains("cause: the gateway's address or port"), "{stdout}");
}

#[test]
fn every_check_is_a_section_and_every_section_a_check() {
    let text = fs::read_to_string(format!("{}/../../docs/verify.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let checks: Vec<String> = Check::VARIANTS.iter().map(Check::to_string).collect();
    assert_eq!(sections, checks);
    for section in text.split("\n### ").skip(1) {
        let name = section.lines().next().unwrap();
        for part in ["**Asked.**", "**If it fails.**"] {
            assert!(section.contains(part), "{name}: {part}");
        }
    }
}
