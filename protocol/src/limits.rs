//! Every bound, in one place, with its unit and its reason.

/// Bytes of one frame on a sync stream. A block of 256 entries of 4 KiB compresses well below it.
pub const FRAME_BYTES: usize = 1 << 20;
/// Bytes of a frame before the peer has proved a device: a stranger never makes us hold more.
pub const HELLO_BYTES: usize = 16 << 10;
/// Bytes of one item payload before sealing. Larger things are files.
pub const PAYLOAD_BYTES: usize = 64 << 10;
/// Bytes of one act as it travels. A genesis with an agreement and a founder's keys fits.
pub const ACT_BYTES: usize = 128 << 10;
/// Entries of a block, and of a batch under one signature.
pub const BLOCK_ENTRIES: usize = 256;
/// Bytes a block may inflate to; the sum of what its entries may hold is larger, so blocks also close on size.
pub const BLOCK_BYTES: usize = 768 << 10;
/// How many bytes that a block's payloads inflate to count as one of [`BLOCK_BYTES`]: more than text compresses, so that only what
/// is made to inflate makes blocks shorter. A block thus never inflates to more than [`BLOCK_BYTES`] times this, and once more.
pub const BLOCK_DENSITY: usize = 4;
/// Entries of a run from which on it is kept as a block of its own instead of entry by entry: below, rows are cheaper to
/// write than a block is to make, and small blocks compress badly.
pub const BLOCK_DIRECT: usize = 64;
/// Blocks that are opened, joined or rewritten for one input because somebody asks for what they hold, or because it is to be
/// destroyed: one takes up to 15 ms. What is left over is done in later turns.
pub const TURN_BLOCKS: usize = 8;
/// Stored blocks that are looked at for one input, without being opened: some 60 kB read for each.
pub const TURN_LOOKS: usize = 256;
/// Entries whose bytes are destroyed for one input; the rest follows in later turns.
pub const TURN_DESTROYED: usize = 4_096;
/// Bytes of a payload up to which it is sealed as it is; above it is compressed first. Small ones are compressed together,
/// in blocks.
pub const PLAIN_PAYLOAD_BYTES: usize = 4 << 10;
/// Parents of an act, membership heads of an entry.
pub const HEADS: usize = 16;
/// Devices of a circle.
pub const DEVICES: usize = 1_000;
/// Devices named in one admission.
pub const DEVICES_PER_ADMISSION: usize = 8;
/// Epochs whose keys one box carries.
pub const BOX_EPOCHS: usize = 512;
/// Bytes of a box as it travels: [`BOX_EPOCHS`] of at most 140 bytes and an encapsulated key.
pub const BOX_BYTES: usize = 96 << 10;
/// Incarnations of a device: one per detected clone or restored folder.
pub const INCARNATIONS: usize = 16;
/// Chains that nobody here knows of which it is kept how far another device is, with those that are known: some for each device.
pub const PEER_CHAINS: usize = 4 * DEVICES;
/// Chains and branches of one device that are kept; one more is refused.
pub const DEVICE_CHAINS: usize = 2 * INCARNATIONS;
/// Branches of a chain that are kept after equivocation.
pub const BRANCHES: usize = 8;
/// Stretches of a chain that lie before one's time: one for each absence from a circle.
pub const CHAIN_GAPS: usize = 64;
/// Operations of one edit.
pub const EDIT_OPS: usize = 4_096;
/// Entries of one item; a minute-by-minute co-edited page stays below.
pub const ITEM_ENTRIES: usize = 4_096;
/// What an entry of an item weighs, besides its bytes: so that a share of an item is a thousand small changes, and never more than
/// 1,170 entries.
pub const ENTRY_WEIGHT: u64 = 7 << 8;
/// What each of its operations, and each entry that it rests on, weighs besides its bytes.
pub const OPERATION_WEIGHT: u64 = 32;
/// What one person may write into one item, as weight: thirty rewritings of the longest body, or a thousand small changes. The
/// creator's share is theirs alone.
pub const ITEM_SHARE: u64 = 2 << 20;
/// What all others together may write into one item, as weight. Where they want more, the largest shares get smaller, all alike.
pub const ITEM_SHARES: u64 = 3 * ITEM_SHARE;
/// What items put together in one turn may weigh, the first one aside: one of the heaviest takes less than 100 ms. The rest is put
/// together in later turns. A turn's tick has as much for itself.
pub const TURN_WEIGHT: u64 = ITEM_SHARE + ITEM_SHARES;
/// Stretches of 256 places of a chain, a block or two each, out of which entries are copied in one turn, to put items together.
pub const TURN_STRETCHES: usize = 8;
/// Items whose putting together is gone on with in one turn.
pub const TURN_ITEMS: usize = 64;
/// Characters of a text that a list shows; the item itself shows all.
pub const LIST_TEXT: usize = 4_096;
/// Replies to a note, and reactions to it, that a list shows: the newest. The note itself shows all.
pub const LIST_CHILDREN: usize = 64;
/// Replies and reactions, for each item of a list on average, that it shows in all: the newest items come first.
pub const LIST_CHILDREN_EACH: usize = 5;
/// Bytes that are looked through to tell an item's history, once for each of its edits: the oldest are left out beyond it.
pub const HISTORY_BYTES: usize = 64 << 20;
/// Entries that one edit depends on.
pub const EDIT_DEPS: usize = 64;
/// Characters of a title or a name of an item.
pub const TITLE_CHARS: usize = 300;
/// Bytes of a recurrence rule with its exception dates.
pub const RRULE_BYTES: usize = 16 << 10;
/// Characters of an address.
pub const URL_CHARS: usize = 2_000;
/// Characters of a language tag: the longest that BCP 47 asks everybody to take.
pub const LANG_CHARS: usize = 35;
/// Characters of what kind of resource something is.
pub const KIND_CHARS: usize = 60;
/// Characters of a day, `2026-12-24`.
pub const DAY_CHARS: usize = 10;
/// Characters of a day and a time on a wall clock; fractions of a second fit.
pub const WALL_CHARS: usize = 32;
/// Characters of a time zone's name; the longest in use has 32.
pub const ZONE_CHARS: usize = 64;
/// Characters of an emoji: the longest sequences in use (families, flags) stay below.
pub const EMOJI_CHARS: usize = 32;
/// Characters of a person's, device's or circle's name.
pub const NAME_CHARS: usize = 80;
/// Bytes of a text body.
pub const BODY_BYTES: usize = 60 << 10;
/// Bytes of an agreement.
pub const AGREEMENT_BYTES: usize = 32 << 10;
/// Tags of an item.
pub const TAGS: usize = 32;
/// Characters of a tag.
pub const TAG_CHARS: usize = 60;
/// Items of one batch through the local API.
pub const BATCH_ITEMS: usize = 2_000;
/// Sealed bytes in flight to a peer before it acknowledged.
pub const CREDIT_BYTES: usize = 4 << 20;
/// Times a member may say on one stream what they have, at once; more often it is heard once a second, and what they said last counts.
pub const HAVES: u64 = 8;
/// Milliseconds after which they may say it once more.
pub const HAVE_MILLIS: u64 = 1_000;
/// Open sync streams.
pub const LINKS: usize = 256;
/// Circles that one home is in, joins under way included. Those that ended for its member do not count.
pub const CIRCLES: usize = 64;
/// Requests to join that wait for a steward, per circle.
pub const REQUESTS: usize = 64;
/// Rows of requests that are read of a circle: more than there ever are.
pub const REQUEST_ROWS: usize = 2 * REQUESTS;
/// Links that are looked at side by side before anybody joins: each waits for an answer.
pub const PREVIEWS: usize = 8;
/// Acts in one frame: judging one takes up to 0.2 ms.
pub const FRAME_ACTS: usize = 256;
/// Bytes of records in one message, after which the next begins.
pub const RECORDS_BYTES: usize = 256 << 10;
/// Bytes of one run before compression, after which the next begins; a block is sent whole.
pub const RUN_BYTES: usize = 768 << 10;
/// Records in one frame: each has a signature to be verified.
pub const FRAME_RECORDS: usize = 1_000;
/// Parts of a welcome on one stream; a circle with ten thousand acts comes in some fifty.
pub const WELCOME_PARTS: usize = 1_024;
/// Acts that a welcome may bring before its circle is known to be one that we are in,
pub const WELCOME_ACTS: usize = 65_536;
/// and their bytes.
pub const WELCOME_BYTES: usize = 64 << 20;
/// Addresses that a device publishes.
pub const ADDRESSES: usize = 8;
/// Addresses that are kept of one peer, from any source; [`ADDRESSES`] of them are called at a time.
pub const DIAL_ADDRESSES: usize = 8 * ADDRESSES;
/// Milliseconds within which a record that changes makes nobody call again more than once: it may name anybody's addresses.
pub const RECORD_DIAL_MILLIS: u64 = 60_000;
/// Milliseconds after a failed call until the next, doubled with each further failure,
pub const BACK_OFF_MILLIS: u64 = 1_000;
/// as often as this at most,
pub const BACK_OFF_DOUBLINGS: u32 = 10;
/// and up to this: ten minutes, so that somebody who is back is found soon.
pub const LONGEST_BACK_OFF_MILLIS: u64 = 600_000;
/// Milliseconds over which calls are spread that would be made at the same moment.
pub const CALL_SPREAD_MILLIS: u64 = 2_000;
/// Milliseconds after which a call that nobody answered is made again.
pub const CALL_AGAIN_MILLIS: u64 = 120_000;
/// Bytes of an address.
pub const ADDRESS_BYTES: usize = 128;
/// Bytes of a peer id.
pub const PEER_ID_BYTES: usize = 64;
/// Milliseconds after which a stream is closed on which nobody proved anything.
pub const STRANGER_MILLIS: u64 = 15_000;
/// Frames that somebody who has proved nothing may send: hello, and tokens and an introduction for each circle.
pub const STRANGER_FRAMES: usize = 4 * CIRCLES;
/// Milliseconds after which a stream is closed on which the other side is a ticket's holder and nothing more. A guest who still waits
/// comes again: an hour keeps the network quiet while requests wait for days.
pub const GUEST_MILLIS: u64 = 3_600_000;
/// Frames that they may send on it: a request, and an acknowledgement for each part of a welcome.
pub const GUEST_FRAMES: usize = 1_024;
/// Streams of ticket holders; one more closes the oldest.
pub const GUESTS: usize = 64;
/// Tries to prove a ticket, right or wrong, per peer and minute.
pub const TICKET_TRIES: usize = 10;
/// Devices of one person in a circle, so that nobody can use up the circle's.
pub const DEVICES_PER_PERSON: usize = 32;
/// Chains that a cut or a restoration names: 8 devices, 16 incarnations, 3 classes, and room.
pub const POINTS: usize = 1_024;
/// Points that it names of one chain: the end of each branch, and for each the last entry that somebody else acknowledged.
pub const POINTS_PER_CHAIN: usize = 2 * BRANCHES;
/// People who may come by one invite.
pub const INVITE_USES: u32 = 1_000;
/// Policy fields that there may ever be; an act that names a higher one is unfit.
pub const POLICY_FIELDS: u32 = 64;
/// Arrays in a value that this program does not know, one in the other.
pub const UNKNOWN_DEPTH: usize = 8;
/// Acts of a circle that this program cannot judge, because they are of a newer version or rest on one that is. More are not kept,
/// and come again once they can be judged;
pub const UNREAD_ACTS: usize = 4_096;
/// of one author;
pub const UNREAD_ACTS_EACH: usize = 256;
/// and their bytes.
pub const UNREAD_BYTES: usize = 8 << 20;
/// Days that a history or retention policy may name: a century.
pub const POLICY_DAYS: u32 = 36_525;
/// Acts that wait for a missing parent, per circle. More are dropped and come again by sync.
pub const HELD_ACTS: usize = 4_096;
/// Plain rotations that a member may bring of their own at once: more than a circle with the shortest retention makes in half a
/// year. More of them wait, see `sync::rate_limit`.
pub const ROTATIONS: u64 = 256;
/// Milliseconds after which they may bring one more.
pub const ROTATION_MILLIS: u64 = 600_000;
/// Rows of the store that are read in one go.
pub const PAGE_ROWS: usize = 256;
/// Entries that are looked at in one go when cuts change.
pub const ENTRY_SLICE: u64 = 512;
/// Milliseconds for which this machine's clock alone has to say that an item's time is over, before its bytes are destroyed: a week.
pub const OVER_MILLIS: u64 = 7 * 24 * 3_600_000;
/// Other people who have to have written down a later moment, before their word counts against this machine's clock or for it.
pub const CLOCK_WITNESSES: usize = 2;
/// People of whom it is kept what they wrote down last.
pub const CLOCK_SPEAKERS: usize = 2 * CLOCK_WITNESSES;
/// Slices of what is due that are judged at once when everything is built again.
pub const REBUILD_SWEEPS: usize = 1_024;
/// Acts that are looked at for the latest moment that lies before an entry.
pub const PAST_ACTS: usize = 256;
/// Entries before it in its chain, for the same.
pub const PAST_ENTRIES: u64 = 16;
/// Entries of an item among which its first edit is looked for, for the same.
pub const FIRST_AMONG: usize = 4;
/// Items whose time has come that are ended in one turn.
pub const SWEEP_ITEMS: usize = 512;
/// Items indexed in one go.
pub const INDEX_SLICE: usize = 256;
/// Entries judged again in one slice.
pub const CUT_SLICE: usize = 256;
/// Bytes of words after which a slice ends.
pub const INDEX_SLICE_BYTES: usize = 1 << 20;
/// Bytes of payloads opened for it, after which it ends.
pub const CUT_SLICE_BYTES: usize = 1 << 20;
/// Blocks that are opened in one slice of judging again, to look for points.
pub const CUT_LOOKS: usize = 4;
/// Blocks that are opened in one command to name what others have; what lies inside more of them is not named.
pub const POINT_LOOKS: usize = 8;
/// Stewards that a circle of several should have: with fewer, one lost computer can leave it with nobody to look after it.
pub const STEWARDS: usize = 3;
/// Names of people that a sentence tells; of more it tells how many.
pub const NAMES_TOLD: usize = 4;
/// Settings of a circle's retention that are looked back at, to tell what binds today; more than one a day are rare.
pub const RETENTION_TERMS: usize = 8;
/// Drafts that a home keeps.
pub const DRAFTS: usize = 64;
/// Bytes of a draft's text: more than a note holds, since a text may be a draft because it is too long.
pub const DRAFT_BYTES: usize = 1 << 20;
/// How long a draft is kept: a week.
pub const DRAFT_MILLIS: u64 = 7 * 24 * 3_600_000;
/// Places of a chain that count as one stretch: as many as a block has at most.
pub const STRETCH: u64 = BLOCK_ENTRIES as u64;
/// Entries of a tail that are served like a stored block that is only looked at; more are like a block that is opened.
pub const FEW_ENTRIES: u64 = 8;
/// Opened blocks that a reader of a chain keeps at hand: a block is read by its neighbours, and takes some MiB.
pub const OPEN_BLOCKS: usize = 8;
/// Bytes of entries that a reader of lists keeps at hand, about.
pub const SKIMMED_BYTES: usize = 8 << 20;
/// Pairs of tokens that are compared at most; beyond, what lies between the shared ends counts as changed.
pub const DIFF_PAIRS: usize = 1 << 20;
/// Marks of one kind that are looked at per item; one a facilitator and a few changes of mind.
pub const MARKS: usize = 256;
/// Replies read at once to find out whether there is an answer among them: mostly the newest is one.
pub const ANSWERS_READ: usize = 8;
/// Judgements kept as they were asked for last.
pub const RECENT_JUDGEMENTS: usize = 32;
/// Judgements kept at even distances.
pub const LANDMARKS: usize = 64;
/// Acts between the first landmarks; doubled whenever they would be too many.
pub const LANDMARK_ACTS: usize = 64;
/// Judged states that a circle keeps by the heads they belong to: an entry names its own, and few differ at a time.
pub const OUTER_STATES: usize = 8;
/// Bytes of the largest payload, padded and sealed.
pub const SEALED_PAYLOAD_BYTES: usize = PAYLOAD_BYTES + (8 << 10);
/// Bytes that a head adds to the weight of a batch's first entry: 32, and how CBOR says so;
pub const HEAD_WEIGHT: usize = 34;
/// and all that it may name.
pub const HEADS_WEIGHT: usize = HEAD_WEIGHT * HEADS;
/// Bytes that an entry without its payload adds to a block's weight: more than its header takes.
pub const ENTRY_OVERHEAD: usize = 128;
/// The greatest place in a chain: far above what a device can write, far below where numbers wrap.
pub const MAX_SEQ: u64 = 1 << 48;
/// Bytes of what a box is bound to; HPKE's key schedule takes less than 65,536.
pub const HPKE_INFO_BYTES: usize = 4_096;
/// Bytes of a record as it travels: names, addresses and a signature stay well below.
pub const RECORD_BYTES: usize = 8 << 10;
/// Characters of an invite link; a few hints with a few addresses fit.
pub const LINK_CHARS: usize = 4_096;
/// Peers that a ticket names.
pub const HINTS: usize = 4;
/// Bytes of acts in one frame; keys and framing come on top.
pub const FRAME_ACTS_BYTES: usize = 384 << 10;
/// Bytes of an introduction: it travels before anything is proved, in a frame of [`HELLO_BYTES`].
pub const INTRO_BYTES: usize = 14 << 10;
/// Bytes of it that a record and acts may take; the rest is left for what frames them, and for a leave.
pub const INTRO_ACTS_BYTES: usize = INTRO_BYTES - 256;
/// Bytes of a sealed introduction: a nonce and a tag, and room.
pub const SEALED_INTRO_BYTES: usize = INTRO_BYTES + 64;
/// Bytes of a request sealed to one steward.
pub const SEALED_REQUEST_BYTES: usize = 8 << 10;
/// Requests in one frame between members.
pub const FRAME_REQUESTS: usize = 8;
/// Tokens that one side may send on a link, padding included.
pub const TOKENS: usize = 256;
/// Tokens that the other side may send on a link: somebody with more circles pads further.
pub const PEER_TOKENS: usize = 2 * TOKENS;
/// Tokens are sent in multiples of so many, so that their number says little of how many circles two share.
pub const TOKEN_STEP: usize = 8;
/// Bytes of an item's words that can be found: more than one person writes at once.
pub const INDEX_ITEM_BYTES: usize = 2 * BODY_BYTES;
/// Of the items indexed in one go, those of several entries, whose texts may be long.
pub const INDEX_SEVERAL: usize = 16;
/// Hours that an invite is open where nobody says otherwise.
pub const INVITE_HOURS: u64 = 72;
/// Requests that wait by one ticket.
pub const REQUESTS_PER_TICKET: usize = 16;
/// Gaps in chains that are not known here are kept up to so many: the chain may come.
pub const UNKNOWN_GAPS: usize = 1_024;
/// Devices that a chain remembers with how far they are: those that are furthest.
pub const WITNESSES: usize = 4;
/// Acts of one turn that do nothing but bring heads together: each names up to 16.
pub const MERGES: usize = 4;
/// The same before somebody is let in.
pub const MOST_MERGES: usize = 64;
/// An epoch is overdue after so many days, whatever the policies.
pub const ROTATE_DAYS: u64 = 30;
/// Farewells of one person that are handed over: the newest of several removals.
pub const FAREWELLS: usize = 4;
/// Days for which a farewell is handed over.
pub const FAREWELL_DAYS: u64 = 90;
/// Milliseconds for which a deleted item's bytes stay, so that what a thief deletes can still be cut off: a day.
pub const DESTROY_MILLIS: u64 = 24 * 3_600_000;
/// Milliseconds from one slice of something long to the next: other inputs come in between.
pub const SLICE_MILLIS: u64 = 1;
/// Words are indexed so many milliseconds after the last entry,
pub const INDEX_AFTER_MILLIS: u64 = 250;
/// or so many after the first, while more keep coming.
pub const INDEX_BY_MILLIS: u64 = 2_000;
/// Milliseconds after which what was learned of delivery is written: acknowledgements come in bursts.
pub const DELIVERY_MILLIS: u64 = 200;
/// Milliseconds that a preview waits for an answer.
pub const PREVIEW_MILLIS: u64 = 20_000;
/// Milliseconds after which others' entries are announced to members who may have them already.
pub const ANNOUNCE_MILLIS: u64 = 300;
/// Hits of a search that nobody limited.
pub const SEARCH_HITS: usize = 50;
/// Hits of a search at most.
pub const MOST_SEARCH_HITS: usize = 1_000;
/// Characters of a hit's excerpt: about a line.
pub const EXCERPT_CHARS: usize = 120;
/// Characters of it before the match.
pub const EXCERPT_BEFORE_CHARS: usize = 40;
/// Characters around it in which the beginning of a word is looked for: as many before those, and behind the match.
pub const EXCERPT_LOOK_CHARS: usize = 3 * EXCERPT_BEFORE_CHARS;
/// Characters of an untitled text that an inbox shows: less than a line, with who and where before it.
pub const TOLD_CHARS: usize = 60;
/// Entries that one inbox puts together to tell what changed in items; beyond it, it tells only that they changed.
pub const INBOX_ENTRIES: usize = 1_024;
/// Items of one kind and author that an inbox tells of as one, at least: nobody writes so many at once by hand.
pub const TOGETHER_ITEMS: usize = 3;
/// Between two of them, milliseconds at most.
pub const TOGETHER_MILLIS: u64 = 1_000;
/// Hits the store is asked for, for each one wanted, and then for each one it gave: some are hidden, over, or in another circle.
pub const SPARE_HITS: usize = 4;
/// Candidates that an ambiguous id names.
pub const NAMED_CANDIDATES: usize = 5;
/// Circles or people that an ambiguous name names: they are few, and all of them should be seen.
pub const NAMED_ALIKE: usize = 8;
/// Characters of what somebody typed that an error repeats: enough to know it again.
pub const REPEATED_CHARS: usize = 40;
/// Characters of a short id behind its letter: 80 bits, as base32.
pub const SHORT_ID_CHARS: usize = 16;
/// Characters of an event's place.
pub const PLACE_CHARS: usize = 1_000;
/// Milliseconds that a wall clock is away from UTC at most: 14 hours, with room for what islands decide.
pub const CLOCK_OFFSET_MILLIS: u64 = 16 * 3_600_000;
/// Milliseconds after its end in UTC that a day ends where it ends last.
pub const LAST_DAY_END_MILLIS: u64 = 12 * 3_600_000;
/// Digits that say how often an event's organizer has changed it: as many as the largest number has.
pub const SEQUENCE_CHARS: usize = 20;
/// Characters of an event's id in calendars.
pub const UID_CHARS: usize = 1_000;
/// Bytes of the path of the daemon's socket: what both Linux (108) and macOS (104) take, without the zero at its end.
pub const SOCKET_PATH_BYTES: usize = 103;
