//! Membership: the resolver against the model's vectors, rule by rule; what order, ids and growth must not change; what it costs.

mod adversary;
mod cost;
mod growth;
mod rules;
mod vectors;
