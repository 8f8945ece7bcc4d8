//! The first person's journal.

use super::Deed::{Edit, Note, Share};
use super::Desk::{Boat, Laptop, Phone};
use super::Place::Home;
use super::When::{Ago, Day, Years};
use super::{Line, MARA};

/// Some years of it: each of them has something to say on this day.
#[rustfmt::skip] // a table reads best as one
pub(super) const JOURNAL: &[Line] = &[
    (Years(3, 20, 40), MARA, Home, Note(Laptop, "Bought her. Forty years old, green, and somebody has painted over the name. I keep it: *Petrel*. #petrel")),
    (Years(3, 22, 5), MARA, Home, Note(Laptop, "Cannot sleep. I own a boat. #petrel")),
    (Day(1088, 18, 30), MARA, Home, Note(Laptop, "Scraped for six hours. Under the green there is blue, under the blue there is white, under the white there is a boat. #petrel #winter")),
    (Day(1010, 19, 10), MARA, Home, Note(Laptop, "First coat of varnish. Jonas says four more. Jonas always says four more. #petrel")),
    (Day(930, 21, 55), MARA, Home, Note(Phone, "She floats! #petrel #sailing")),
    (Day(842, 22, 30), MARA, Home, Note(Phone, "To the island and back in one day, twelve hours, one apple. #sailing")),
    (Day(760, 21, 5), MARA, Home, Note(Laptop, "Joined the club. They have a crane, a soup and a hook for the key. #club")),
    (Years(2, 7, 15), MARA, Home, Note(Phone, "Ice on the ropes this morning. They sound like glass when one coils them. #harbour #morning")),
    (Years(2, 21, 20), MARA, Home, Note(Laptop, "A year with her. Spent: too much. Regret: the first sail, not the boat. #petrel")),
    (Day(610, 20, 0), MARA, Home, Note(Laptop, "Night watch course, last evening. Passed. The lights of the coast are a sentence now, and I can read it. #sailing #reading")),
    (Day(505, 22, 48), MARA, Home, Note(Phone, "Thunder all around and not a drop here. Sat below and wrote postcards. #sailing")),
    (Day(503, 21, 0), MARA, Home, Note(Phone, "Theo aboard for the first time. He held the tiller like a hot pan. #sailing #family")),
    (Years(1, 21, 12), MARA, Home, Note(Phone, "Last sail of the year. Hands too cold to write. #sailing")),
    (Day(364, 20, 0), MARA, Home, Note(Laptop, "Petrel is in the hall. She looks smaller ashore. #winter #petrel")),
    (Day(290, 19, 25), MARA, Home, Note(Laptop, "Winter list:\n\n- [x] seacocks\n- [x] rigging\n- [ ] the drawer that has never closed\n\n#winter")),
    (Day(205, 6, 20), MARA, Home, Note(Phone, "Back in the water. The drawer still does not close. #petrel")),
    (Day(118, 22, 10), MARA, Home, Note(Phone, "Swam around her at anchor. The bottom is clean, the water is not warm. #sailing")),
    (Day(79, 22, 15), MARA, Home, Note(Phone, "Island, third night. Ines played until the tide came for the fire. #sailing #island")),
    (Day(60, 18, 0), MARA, Home, Note(Laptop, "Put a small box aboard that tells me when the bilge is wet: it can write here, by a line over UDP, and do nothing else. #petrel")),
    (Day(59, 6, 0), MARA, Home, Note(Boat, "Bilge dry, battery 12.7 V. #petrel")),
    (Day(45, 6, 0), MARA, Home, Note(Boat, "Bilge dry, battery 12.5 V. #petrel")),
    (Day(43, 20, 30), MARA, Home, Share("Photos/Bay, evening.jpg", "From the summer. I come back to this one. #island")),
    (Day(35, 21, 40), MARA, Home, Note(Phone, "A seal at the pier head, twice. It looked at me as if I owed it money. #harbour")),
    (Day(31, 22, 1), MARA, Home, Note(Laptop, "Read half of the almanac. Tides are simpler than people. #reading")),
    (Day(27, 7, 5), MARA, Home, Note(Phone, "Up before the sun. Mirror water, **no** wind, coffee in the cockpit. #sailing #morning")),
    (Day(24, 21, 15), MARA, Home, Note(Laptop, "Wrote to the insurance. The mast is covered, says the machine that answers.")),
    (Day(20, 23, 0), MARA, Home, Note(Phone, "Evening sail with Jonas. Turned back at Gull Rock because of the light, not the wind. #sailing")),
    (Day(17, 21, 30), MARA, Home, Note(Laptop, "Soup, test one: too much fennel. #soup")),
    (Day(15, 21, 31), MARA, Home, Note(Laptop, "Soup, test two: right. Wrote it down. #soup")),
    (Day(15, 21, 40), MARA, Home, Edit(0, "Soup, test two: right. Wrote it down under `Recipes/Fish soup.md`. #soup")),
    (Day(12, 22, 20), MARA, Home, Note(Laptop, "Meeting of the club. Two keys are missing, and everybody knows where they are. #club")),
    (Day(9, 6, 50), MARA, Home, Note(Phone, "Fog. The harbour has edges only where one stands. #harbour #morning")),
    (Day(8, 3, 12), MARA, Home, Note(Boat, "Bilge wet: pump ran 40 s. #petrel")),
    (Day(8, 8, 30), MARA, Home, Note(Phone, "Went to look. It was rain, through the hatch that I left open. The box is cleverer than I am. #petrel")),
    (Day(5, 22, 0), MARA, Home, Note(Phone, "Fourth of four. Best day of the autumn. #sailing #regatta")),
    (Day(3, 21, 45), MARA, Home, Note(Laptop, "- [x] minutes\n- [x] crane\n- [ ] long ropes")),
    (Day(1, 22, 30), MARA, Home, Note(Phone, "Theo called. Sunday at Mum's. #family")),
    (Ago(200), MARA, Home, Note(Phone, "First frost on the pontoon. #harbour #morning")),
];
