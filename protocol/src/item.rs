//! What members wrote, as typed items: notes, replies, reactions, events, RSVPs, resources.
