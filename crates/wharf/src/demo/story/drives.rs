//! What came into the drives of the story.

use super::Content::{Bell, Jpeg, Pdf, Png, Text};
use super::Deed::{Folder, Put, Remove, Rename, Tag};
use super::Place::Home;
use super::When::Day;
use super::{AMIR, CHOIR, CLUB, INES, JONAS, LENA, Line, MARA, MEI, REGATTA, SITE};
use crate::demo::draw::Scene;

const EVENING: Scene = Scene {
    width: 1200,
    height: 750,
    colours: [[0.16, 0.2, 0.42], [0.98, 0.62, 0.42], [0.1, 0.22, 0.36]],
    sun: (0.68, 0.5),
    boats: &[(0.32, 0.78, 0.26), (0.86, 0.67, 0.09)],
    coast: 0.4,
};
const MORNING: Scene = Scene {
    width: 1200,
    height: 800,
    colours: [[0.36, 0.62, 0.88], [0.9, 0.94, 0.96], [0.08, 0.38, 0.5]],
    sun: (0.22, 0.24),
    boats: &[(0.62, 0.8, 0.3)],
    coast: 2.1,
};
const FOG: Scene = Scene {
    width: 1120,
    height: 840,
    colours: [[0.66, 0.7, 0.74], [0.84, 0.86, 0.87], [0.42, 0.5, 0.55]],
    sun: (0.5, 0.3),
    boats: &[(0.44, 0.72, 0.16)],
    coast: 4.0,
};
const START: Scene = Scene {
    width: 1280,
    height: 720,
    colours: [[0.22, 0.5, 0.82], [0.8, 0.9, 0.97], [0.07, 0.3, 0.46]],
    sun: (0.8, 0.18),
    boats: &[
        (0.14, 0.72, 0.14),
        (0.3, 0.74, 0.16),
        (0.47, 0.71, 0.13),
        (0.64, 0.76, 0.19),
        (0.83, 0.72, 0.14),
    ],
    coast: 3.2,
};
pub(super) const BAY: Scene = Scene {
    width: 810,
    height: 1080,
    colours: [[0.2, 0.44, 0.7], [0.99, 0.86, 0.62], [0.06, 0.42, 0.44]],
    sun: (0.4, 0.34),
    boats: &[(0.55, 0.8, 0.14)],
    coast: 5.3,
};
pub(super) const NIGHT: Scene = Scene {
    width: 1200,
    height: 800,
    colours: [[0.03, 0.05, 0.14], [0.18, 0.24, 0.42], [0.03, 0.08, 0.16]],
    sun: (0.3, 0.2),
    boats: &[(0.7, 0.75, 0.2)],
    coast: 1.2,
};
const LOGO: Scene = Scene {
    width: 384,
    height: 384,
    colours: [[0.1, 0.42, 0.66], [0.78, 0.9, 0.96], [0.05, 0.28, 0.48]],
    sun: (0.76, 0.2),
    boats: &[(0.42, 0.8, 0.5)],
    coast: 0.0,
};

const MINUTES: &str = "# Minutes, October\n\nPresent: Mara, Jonas, Ines, Theo, Lena, Mei. Excused: Amir.\n\n\
    1. **Winter storage.** Hall B from 1 November. Masts down by the Saturday before.\n\
    2. **Keys.** Two are missing. Whoever finds one hangs it on the hook, not on the *other* hook.\n\
    3. **Regatta.** Ines has the course, Jonas the buoys, Mara the soup.\n\n\
    | what | who | until |\n| --- | --- | --- |\n| crane | Jonas | 28 Oct |\n| insurance | Mara | 31 Oct |\n| page | Amir | when it works |\n";
const MINUTES_MENDED: &str = "# Minutes, October\n\nPresent: Mara, Jonas, Ines, Theo, Lena, Mei. Excused: Amir.\n\n\
    1. **Winter storage.** Hall B from 1 November. Masts down by the Saturday before. The crane is booked for ten o'clock.\n\
    2. **Keys.** One is missing; the other was on the other hook.\n\
    3. **Regatta.** Ines has the course, Jonas the buoys, Mara the soup. Lena brings bread.\n\n\
    | what | who | until |\n| --- | --- | --- |\n| crane | Jonas | done |\n| insurance | Mara | 31 Oct |\n| page | Amir | when it works |\n\n\
    - [x] write minutes\n- [ ] read minutes\n";
const MEMBERS: &str = "name,boat,mooring,since,paid\nMara,Petrel,B12,2016,yes\nJonas,Two Left Feet,B14,2018,yes\n\
    Ines,Albatross,A3,2014,yes\nTheo,Petrel,B12,2019,no\nLena,—,—,2022,yes\nAmir,Segfault,C7,2021,yes\nMei,海燕,A9,2020,yes\n";
const RESULTS: &str = "place,boat,helm,start,finish,corrected\n1,海燕,Mei,10:00:00,12:41:09,2:21:40\n2,Albatross,Ines,10:00:00,12:38:52,2:24:11\n\
    3,Two Left Feet,Jonas,10:00:00,13:02:30,2:29:58\n4,Petrel,Mara,10:00:00,13:10:04,2:33:12\n";
const COURSE: &str = "# The course\n\nStart between the pier head and the yellow buoy. Leave **Gull Rock** to port, the red can to\nstarboard, \
    and come home through the gate.\n\n> The committee may shorten the course at any mark. It usually does.\n\n```\n        N\n        |\n   gate o----- red can\n        |\\\n  pier  |  \\  Gull Rock\n```\n";
pub(super) const PACKING: &str = "- tent (the big one)\n- stove, gas x3\n- 20 l water a boat\n- charts: islands N, islands S\n- guitar? no\n- guitar.\n";
const INDEX_HTML: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n  <title>Harbour Boat Club</title>\n  <link rel=\"stylesheet\" href=\"style.css\">\n</head>\n<body>\n  <main id=\"tides\"></main>\n  <script type=\"module\" src=\"tides.js\"></script>\n</body>\n</html>\n";
const TIDES_JS: &str = "// High water at the harbour, from the constants of the almanac.\nconst PERIOD_HOURS = 12.4206;\n\nexport function highWaters(first, count) {\n  return Array.from({ length: count }, (_, index) =>\n    new Date(first.getTime() + index * PERIOD_HOURS * 3_600_000));\n}\n\nconst list = document.querySelector('#tides');\nfor (const time of highWaters(new Date(2026, 0, 1, 3, 12), 4)) {\n  const line = document.createElement('p');\n  line.textContent = time.toLocaleString();\n  list.append(line);\n}\n";
const STYLE_CSS: &str = ":root { color-scheme: light dark; font: 1rem/1.5 system-ui; }\nmain { max-width: 40rem; margin: 3rem auto; }\n";
const TEST_JS: &str = "import assert from 'node:assert/strict';\nimport test from 'node:test';\nimport { highWaters } from '../tides.js';\n\ntest('two high waters a day', () => {\n  assert.equal(highWaters(new Date(0), 2).length, 2);\n});\n";
const README_SITE: &str = "# The club's page\n\nNo build step: open `index.html`. Tides are computed in `tides.js`.\n\n```sh\nnode --test test/\n```\n";
const WELCOME: &str = "# A look around\n\nThis is a drive: files and folders, each with its **history**.\n\n- Press the three dots beside a file: *Details and history* brings an earlier content back.\n- Drop files here, or a whole folder.\n- What is removed lies in the trash for a month.\n- Each room has a drive like this one; `Boat club` is a good one to begin with.\n\n| key | what it does |\n| --- | --- |\n| `F2` | renames |\n| `Delete` | moves to the trash |\n| `Ctrl+/` | lists all keys |\n";
const BUDGET: &str = "what,month,euro\nMooring,1,420\nInsurance,3,310\nVarnish,4,95\nSails,5,1240\nSoup,10,86\nHall,11,260\n";
const RECIPE: &str = "# Fish soup for twelve\n\n1. Onions, fennel, a good deal of olive oil, half an hour.\n2. Tomatoes, saffron, stock. Wait.\n3. Fish in the last five minutes. *Not earlier, Jonas.*\n";
const LETTER: &[&[&str]] = &[
    &[
        "Winter storage 2026",
        "Harbour Boat Club, Hall B",
        "",
        "Boats are lifted on the last Saturday of October, from ten o'clock.",
        "Masts come down before. Batteries and gas go ashore.",
        "",
        "Places in the hall (see the plan on the next page):",
        "  1  Petrel          Mara, Theo",
        "  2  Two Left Feet   Jonas",
        "  3  Albatross       Ines",
        "  4  Segfault        Amir",
        "",
        "Whoever comes late carries the long ropes.",
    ],
    &[
        "Plan of the hall",
        "",
        "+---------------------------------------------+",
        "|   1        2        3        4      crane   |",
        "|                                             |",
        "|   door                            workshop  |",
        "+---------------------------------------------+",
    ],
];

/// What came into the drives.
#[rustfmt::skip] // a table reads best as one
pub(super) const DRIVES: &[Line] = &[
    (Day(58, 18, 2), MARA, CLUB, Put("Members.csv", Text(MEMBERS))),
    (Day(40, 20, 31), MARA, CLUB, Put("Minutes/2026-09.md", Text("# Minutes, September\n\nThere was cake.\n"))),
    (Day(12, 21, 4), MARA, CLUB, Put("Minutes/2026-10.md", Text(MINUTES))),
    (Day(9, 8, 15), LENA, CLUB, Put("Minutes/2026-10.md", Text(MINUTES_MENDED))),
    (Day(8, 9, 0), MARA, CLUB, Put("Winter storage.pdf", Pdf(LETTER))),
    (Day(8, 9, 1), MARA, CLUB, Tag("Winter storage.pdf", &["important", "winter"])),
    (Day(20, 19, 44), JONAS, CLUB, Put("Photos/Evening sail.jpg", Jpeg(EVENING))),
    (Day(20, 19, 45), JONAS, CLUB, Put("Photos/Harbour at six.jpg", Jpeg(MORNING))),
    (Day(6, 7, 50), MEI, CLUB, Put("Photos/Fog.jpg", Jpeg(FOG))),
    (Day(50, 12, 0), JONAS, CLUB, Put("Old price list.txt", Text("Mooring, small boat: 210\nMooring, large boat: 340\n"))),
    (Day(7, 10, 0), MARA, CLUB, Remove("Old price list.txt")),
    (Day(28, 11, 10), INES, REGATTA, Put("Course.md", Text(COURSE))),
    (Day(5, 18, 20), INES, REGATTA, Put("Results.csv", Text(RESULTS))),
    (Day(5, 17, 2), MEI, REGATTA, Put("Photos/The start.jpg", Jpeg(START))),
    (Day(5, 17, 3), MEI, REGATTA, Put("Photos/After the start.png", Png(LOGO))),
    (Day(5, 17, 4), MEI, REGATTA, Rename("Photos/After the start.png", "Photos/Burgee.png")),
    (Day(20, 22, 1), AMIR, SITE, Put("README.md", Text(README_SITE))),
    (Day(20, 22, 2), AMIR, SITE, Put("index.html", Text(INDEX_HTML))),
    (Day(20, 22, 3), AMIR, SITE, Put("tides.js", Text("const PERIOD_HOURS = 12;\n"))),
    (Day(14, 23, 40), AMIR, SITE, Put("tides.js", Text(TIDES_JS))),
    (Day(20, 22, 4), AMIR, SITE, Put("style.css", Text(STYLE_CSS))),
    (Day(14, 23, 41), AMIR, SITE, Put("test/tides.test.js", Text(TEST_JS))),
    (Day(13, 9, 0), MEI, SITE, Put("img/logo.png", Png(LOGO))),
    (Day(14, 19, 0), LENA, CHOIR, Put("Lifts.txt", Text("Tuesday: Lena drives, two seats.\n"))),
    (Day(55, 20, 0), MARA, Home, Put("Read me first.md", Text(WELCOME))),
    (Day(41, 19, 30), MARA, Home, Put("Budget 2026.csv", Text(BUDGET))),
    (Day(41, 19, 31), MARA, Home, Tag("Budget 2026.csv", &["money"])),
    (Day(45, 20, 0), MARA, Home, Put("Recipes/Fish soup.md", Text(RECIPE))),
    (Day(44, 20, 10), MARA, Home, Put("Photos/Bay, evening.jpg", Jpeg(BAY))),
    (Day(44, 20, 11), MARA, Home, Put("Photos/Night watch.jpg", Jpeg(NIGHT))),
    (Day(44, 20, 12), MARA, Home, Put("Photos/Harbour.jpg", Jpeg(MORNING))),
    (Day(43, 9, 0), MARA, Home, Tag("Photos/Night watch.jpg", &["favourite"])),
    (Day(30, 9, 0), MARA, Home, Put("Sounds/Bell.wav", Bell)),
    (Day(30, 9, 5), MARA, Home, Put("Documents/Insurance notes.txt", Text("Policy ends in March.\nAsk about the mast.\n"))),
    (Day(25, 9, 5), MARA, Home, Put("Documents/Insurance notes.txt", Text("Policy ends in March.\nAsk about the mast.\nThey say the mast is covered.\n"))),
    (Day(2, 9, 5), MARA, Home, Put("Documents/Insurance notes.txt", Text("Policy ends in March.\nThe mast is covered, the sails are not.\n"))),
    (Day(25, 9, 6), MARA, Home, Put("Documents/Winter storage.pdf", Pdf(LETTER))),
    (Day(24, 9, 6), MARA, Home, Folder("Documents/Letters")),
    (Day(22, 9, 6), MARA, Home, Put("Draft.txt", Text("Dear all,\n"))),
    (Day(21, 9, 6), MARA, Home, Remove("Draft.txt")),
    (Day(50, 8, 0), JONAS, Home, Put("Varnish.txt", Text("Four coats. Sand between. Four more.\n"))),
    (Day(33, 8, 0), AMIR, Home, Put("notes/rust.md", Text("# Borrowing\n\nLike the club's tools, but the compiler remembers who has them.\n"))),
];
