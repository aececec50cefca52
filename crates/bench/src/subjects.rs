//! Everything that is loaded, made of the same few pieces.

mod growth;
mod rules;
mod variants;
mod ways;

pub(crate) use self::{
    growth::{baggage_members, policies_of, rules_of, trace_ids},
    variants::{
        CONSISTENT_HASHING, FLOOR, FLOOR_TOLD, FORWARDED, HEADER_TO_METADATA, LUA, NONE, PLAIN, RELEASE, WEIGHTED,
        bare_user, hash_tagging,
    },
    ways::{
        ALL, BAGGAGE, HASH_TAGGING, NONE_TAGGED, TRACE_INBOUND, TRACE_OUTBOUND, all_ids, bare_both_ways, filters,
        for_memory,
    },
};
