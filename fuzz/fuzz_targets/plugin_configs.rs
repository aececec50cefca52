//! Any text as the configuration of each filter: what is accepted, the published schema accepts too, and it is the same
//! configuration when it is printed in another way.
#![no_main]

use std::{fmt::Debug, sync::LazyLock};

use jsonschema::Validator;
use libfuzzer_sys::fuzz_target;
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

static SCHEMAS: LazyLock<[Validator; 3]> = LazyLock::new(|| {
    [
        schema::<hash_tagging::config::Config>(),
        schema::<baggage_propagation::config::Config>(),
        schema::<trace_propagation::config::Config>(),
    ]
});

fuzz_target!(|text: &[u8]| {
    let [tagging, baggage, trace] = &*SCHEMAS;
    is_one_reading(text, tagging, hash_tagging::Tagger::parse);
    is_one_reading(text, baggage, baggage_propagation::Propagator::parse);
    is_one_reading(text, trace, |text| trace_propagation::Propagator::parse(text, |_| Some(b"s1".to_vec())));
});

fn schema<C: JsonSchema>() -> Validator {
    Validator::new(&schema_for!(C).to_value()).unwrap()
}

fn is_one_reading<T: Debug, E: Debug>(text: &[u8], schema: &Validator, read: impl Fn(&[u8]) -> Result<T, E>) {
    let read_once = read(text);
    let Ok(value) = serde_json::from_slice::<Value>(text) else {
        // A name that comes twice is one more error for the filter, and none for a value.
        assert!(read_once.is_err());
        return;
    };
    let Ok(once) = read_once else { return };
    assert!(
        schema.is_valid(&value),
        "{:?}",
        schema.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>()
    );
    let again = read(value.to_string().as_bytes()).unwrap();
    assert_eq!(format!("{again:?}"), format!("{once:?}"));
}
