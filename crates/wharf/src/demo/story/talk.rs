//! What was said in the story.

use super::Content::{Jpeg, Text};
use super::Deed::{Edit, Pin, Put, React, Read, Reply, Say, Share};
use super::Place::With;
use super::When::{Ago, Day};
use super::drives::{BAY, NIGHT, PACKING};
use super::{AMIR, CLUB, INES, JONAS, LENA, Line, MARA, MEI, REGATTA, SITE, THEO, TRIP};

/// The trip, which is over.
#[rustfmt::skip] // a table reads best as one
pub(super) const ISLAND_TALK: &[Line] = &[
    (Day(88, 19, 5), JONAS, TRIP, Say("Four days, three boats. Who has the big tent?")),
    (Day(88, 19, 9), THEO, TRIP, Say("I have *a* tent.")),
    (Day(88, 19, 14), MARA, TRIP, Put("Packing.md", Text(PACKING))),
    (Day(88, 19, 15), MARA, TRIP, Share("Packing.md", "the list")),
    (Day(88, 19, 20), INES, TRIP, Say("Guitar: yes.")),
    (Day(80, 21, 30), MARA, TRIP, Put("Photos/Bay.jpg", Jpeg(BAY))),
    (Day(80, 21, 31), MARA, TRIP, Share("Photos/Bay.jpg", "second evening, nobody wanted to cook")),
    (Day(79, 22, 0), JONAS, TRIP, Put("Photos/Night.jpg", Jpeg(NIGHT))),
    (Day(79, 22, 1), JONAS, TRIP, Share("Photos/Night.jpg", "")),
    (Day(78, 9, 12), THEO, TRIP, Say("Home. Everything is wet. Again next year?")),
    (Day(78, 9, 13), INES, TRIP, React(0, "👍")),
    (Day(78, 9, 20), MARA, TRIP, React(0, "👍")),
];

/// The club's week.
#[rustfmt::skip] // a table reads best as one
pub(super) const CLUB_TALK: &[Line] = &[
    (Day(7, 8, 2), JONAS, CLUB, Say("Morning. The crane is booked for **Saturday, ten o'clock**. Masts down before, please.")),
    (Day(7, 8, 5), INES, CLUB, React(0, "👍")),
    (Day(7, 8, 6), LENA, CLUB, React(0, "👍")),
    (Day(7, 8, 40), MARA, CLUB, Pin(0)),
    (Day(7, 8, 44), THEO, CLUB, Reply(0, "Mine comes down on Friday if somebody holds the other end.")),
    (Day(7, 8, 45), AMIR, CLUB, Say("I hold ends.")),
    (Day(7, 12, 30), MARA, CLUB, Share("Winter storage.pdf", "The plan of the hall is on page two.")),
    (Day(6, 7, 58), MEI, CLUB, Share("Photos/Fog.jpg", "今天早上的港口。Nobody moved for an hour.")),
    (Day(6, 8, 1), INES, CLUB, React(0, "😍")),
    (Day(6, 8, 2), LENA, CLUB, React(0, "😍")),
    (Day(6, 8, 9), THEO, CLUB, React(0, "🌫️")),
    (Day(6, 9, 30), LENA, CLUB, Say("Has anybody seen the key of the workshop?")),
    (Day(6, 9, 33), JONAS, CLUB, Say("On the hook.")),
    (Day(6, 9, 34), LENA, CLUB, Say("Which hook?")),
    (Day(6, 9, 35), JONAS, CLUB, Say("The hook.")),
    (Day(6, 9, 41), MARA, CLUB, Say("The *other* hook, @Lena. It is always the other hook.")),
    (Day(6, 9, 42), AMIR, CLUB, React(0, "😂")),
    (Day(6, 9, 42), INES, CLUB, React(0, "😂")),
    (Day(4, 17, 10), LENA, CLUB, Say("I have put the corrections into the minutes: `Minutes/2026-10.md`. The old text is in its history.")),
    (Day(4, 17, 25), MARA, CLUB, Reply(0, "Thank you! Much better than mine.")),
    (Day(3, 20, 1), AMIR, CLUB, Say("The page computes tides now:\n\n```js\nhighWaters(new Date(2026, 0, 1, 3, 12), 4)\n```\n\nTell me when the harbour disagrees.")),
    (Day(3, 20, 14), JONAS, CLUB, Say("The harbour disagreed at six this morning, by about a boot.")),
    (Day(3, 20, 15), AMIR, CLUB, React(0, "😅")),
    (Day(2, 18, 3), INES, CLUB, Say("Soup on Saturday: who eats no fish?")),
    (Day(2, 18, 4), INES, CLUB, Edit(0, "Soup on Saturday, after the crane: who eats no fish?")),
    (Day(2, 18, 20), LENA, CLUB, Say("Me.")),
    (Day(2, 18, 31), MEI, CLUB, Say("Me too, but I eat the bread of two.")),
    (Day(1, 19, 2), JONAS, CLUB, Say("Weather for Saturday: 12 degrees, wind west 3, dry. See https://weather.example/harbour")),
    (Day(1, 19, 7), THEO, CLUB, React(0, "🎉")),
    (Day(1, 20, 0), MARA, CLUB, Read),
    (Ago(95), JONAS, CLUB, Share("Photos/Evening sail.jpg", "Found this from last month. Summer is over when I say so.")),
    (Ago(93), MEI, CLUB, React(0, "❤️")),
    (Ago(90), INES, CLUB, React(0, "❤️")),
    (Ago(41), LENA, CLUB, Say("@Mara do you still have the long ropes, or are they in the hall?")),
    (Ago(38), THEO, CLUB, Say("I have one of them. It is holding up my bookshelf.")),
    (Ago(12), AMIR, CLUB, Say("That explains the bookshelf.")),
];

/// The regatta.
#[rustfmt::skip] // a table reads best as one
pub(super) const REGATTA_TALK: &[Line] = &[
    (Day(28, 11, 12), INES, REGATTA, Share("Course.md", "The course. Comments until Friday.")),
    (Day(28, 12, 0), JONAS, REGATTA, Say("Gull Rock to *port*? At low water?")),
    (Day(28, 12, 4), INES, REGATTA, Reply(0, "That is what makes it a race.")),
    (Day(5, 17, 6), MEI, REGATTA, Share("Photos/The start.jpg", "The only minute in which we were all together.")),
    (Day(5, 17, 8), MARA, REGATTA, React(0, "⛵")),
    (Day(5, 18, 22), INES, REGATTA, Share("Results.csv", "Congratulations, @Mei 美!")),
    (Day(5, 18, 30), MEI, REGATTA, Say("谢谢！ The wind did it.")),
    (Day(5, 18, 31), JONAS, REGATTA, React(0, "🏆")),
    (Day(5, 18, 32), INES, REGATTA, React(0, "🏆")),
    (Day(5, 19, 0), MARA, REGATTA, Say("Fourth of four, and the soup was good.")),
    (Day(1, 12, 0), INES, REGATTA, Say("Next year: two starts, so that nobody has to wait for the Petrel.")),
];

/// The page.
#[rustfmt::skip] // a table reads best as one
pub(super) const SITE_TALK: &[Line] = &[
    (Day(20, 22, 10), AMIR, SITE, Say("First version is in the drive: open `index.html`. No build step, ever.")),
    (Day(19, 8, 0), THEO, SITE, Say("It says that high water is every twelve hours.")),
    (Day(14, 23, 45), AMIR, SITE, Reply(0, "It was. Now it is every 12.4206. Look at the history of `tides.js`.")),
    (Day(13, 9, 2), MEI, SITE, Share("img/logo.png", "a logo, if you like it")),
    (Day(13, 9, 30), MARA, SITE, React(0, "👏")),
    (Day(13, 9, 31), AMIR, SITE, React(0, "👏")),
    (Day(2, 10, 0), MARA, SITE, Read),
];

/// What two said to each other.
#[rustfmt::skip] // a table reads best as one
pub(super) const DIRECT: &[Line] = &[
    (Day(4, 21, 0), THEO, With(MARA), Say("Are you at Mum's on Sunday?")),
    (Day(4, 21, 4), MARA, With(THEO), Say("Yes, from three. I bring the cake from the harbour café.")),
    (Day(4, 21, 5), THEO, With(MARA), React(0, "🍰")),
    (Ago(160), THEO, With(MARA), Say("Can you bring the drill, too?")),
    (Day(3, 8, 30), LENA, With(MARA), Say("Come to the choir on Tuesday! I have sent you an invitation to our room.")),
    (Day(3, 8, 41), MARA, With(LENA), Say("I sing like the crane.")),
    (Day(3, 8, 42), LENA, With(MARA), Reply(0, "The crane is an alto. We need altos.")),
    (Day(2, 22, 10), MARA, With(AMIR), Say("The link on the front page goes nowhere.")),
    (Day(2, 22, 12), AMIR, With(MARA), Say("Fixed. It was `herf`.")),
    (Day(2, 22, 13), MARA, With(AMIR), React(0, "😂")),
    (Day(10, 18, 0), MEI, With(MARA), Say("我明天把帆带来。")),
    (Day(10, 18, 6), MARA, With(MEI), Say("Wonderful, thank you! I am there from nine.")),
    (Day(10, 18, 7), MEI, With(MARA), Read),
];
