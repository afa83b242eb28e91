//! Words that say who someone is, and so belong to the trigger and not into captions or prompts.
//!
//! A caption's words are learned apart from the trigger: "mika, green eyes" gives the green eyes
//! to the words, and without them they fade. A trait is found as a noun behind words that tell of
//! it ("long blond hair", "blue-eyed"), or as a fixed phrase ("freckles"). Sources of the lists:
//! Danbooru's tag groups hair, hair colour, hair styles, eyes, skin colour, face, and body parts
//! (<https://danbooru.donmai.us/wiki_pages/tag_groups>), which WD14 taggers speak, and the traits of
//! the studio's characters (`studio/src/character/traits.rs`). What a person can put on or change
//! between two photos (glasses, make-up, wet or messy hair, expressions) is not in them.

use super::split::{Word, joined, words};

/// What makes of a trait something that is worn: "red hair ribbon".
const WORN: &str = "accessory band bobbles bow bows clip clips flower flowers net ornament pin ribbon \
    ribbons scrunchie tie ties tubes";

/// A trait that a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trait {
    /// What it tells of, such as "hair" or "eyes".
    pub about: &'static str,
    /// The words as the text has them.
    pub words: String,
    /// Their first byte in the text.
    pub at: usize,
}

/// Nouns that are traits only behind one of `tellers`.
struct Described {
    about: &'static str,
    tellers: &'static [&'static str], // each words parted by spaces
    nouns: &'static str,              // likewise
}

/// Phrases that are traits by themselves.
struct Fixed {
    about: &'static str,
    phrases: &'static str, // parted by commas
}

const COLOURS: &str = "amber aqua auburn beige black blond blonde blue brown brunette chestnut colored \
    coloured copper dark ebony fair ginger gold golden gray green grey hazel honey jet \
    lavender light multicolored olive orange pale pink platinum purple raven red rosy \
    sandy silver strawberry teal umber violet white yellow";
const HAIR: &str = "absurdly back bleached braided chin coily cropped curly dyed frizzy gradient kinky \
    layered length long medium parted permed receding shaggy shaved short shoulder side \
    slicked spiky straight streaked swept thick thin thinning tone two very waist wavy";
const SHAPES: &str = "almond angular aquiline arched big broad bushy button chiseled chubby crooked deep \
    double flat full heart high hollow hooded hooked large long low narrow oval plump \
    pointed prominent protruding round set shaped sharp short slanted slim small square \
    strong thick thin turned up upturned weak wide";
const EYES: &str =
    "almond beady big deep hooded large narrow round set shaped slanted small upturned";
const FACES: &str =
    "angular chubby heart long narrow oval round shaped short slim square thin wide";
const SKIN: &str = "dark freckled porcelain tan tanned toned wrinkled";
const AGES: &str = "adult aged elderly mature middle old older teenage young younger";
const ORIGINS: &str = "african american arab asian black brown caucasian chinese east eastern european \
    hispanic indian japanese korean latina latino middle white";
const BUILDS: &str = "athletic bald bearded blond blonde chubby curvy fat haired heavy muscular overweight \
    petite plump short skinny slender slim stocky sturdy tall thin";
const PEOPLE: &str = "adult boy female gentleman girl guy lady male man person woman";

const DESCRIBED: &[Described] = &[
    Described {
        about: "hair",
        tellers: &[COLOURS, HAIR],
        nouns: "bob bun buns crop curls hair haired hairstyle locks",
    },
    Described { about: "eyes", tellers: &[COLOURS, EYES], nouns: "eyes eyed irises" },
    Described { about: "skin", tellers: &[COLOURS, SKIN], nouns: "skin skinned complexion" },
    Described {
        about: "face",
        tellers: &[SHAPES],
        nouns: "cheekbones cheeks chin ears eyebrows brows eyelashes forehead jaw jawline lips mouth \
            nose",
    },
    Described { about: "face", tellers: &[FACES], nouns: "face faced" },
    Described { about: "age", tellers: &[AGES], nouns: PEOPLE },
    Described { about: "origin", tellers: &[ORIGINS], nouns: PEOPLE },
    Described { about: "build", tellers: &[BUILDS], nouns: PEOPLE },
    Described { about: "build", tellers: &[BUILDS], nouns: "body build figure physique" },
    Described {
        about: "build",
        tellers: &["flat huge large medium small"],
        nouns: "breasts chest bust",
    },
    Described {
        about: "species",
        tellers: &["animal bunny cat dog elf fox pointed pointy rabbit wolf"],
        nouns: "ears tail",
    },
];

const FIXED: &[Fixed] = &[
    Fixed {
        about: "hair",
        phrases: "afro, ahoge, bald, balding, bangs, blond, blonde, bob cut, braid, braids, brunette, \
            buzz cut, cornrows, double bun, dreadlocks, hair between eyes, hair bun, hair over \
            one eye, hair over shoulder, hime cut, mohawk, mullet, pigtails, pixie cut, \
            ponytail, quiff, redhead, sidelocks, twintails, two side up, undercut, widow's peak",
    },
    Fixed { about: "eyes", phrases: "heterochromia, tsurime, tareme" },
    Fixed {
        about: "facial hair",
        phrases: "beard, bearded, clean shaven, facial hair, goatee, moustache, mustache, sideburns, \
            stubble, unshaven",
    },
    Fixed {
        about: "marks",
        phrases: "beauty mark, birthmark, dimples, facial mark, facial tattoo, freckles, freckled, \
            mole, moles, scar, scars, scarred",
    },
    Fixed {
        about: "age",
        phrases: "elderly, middle aged, teenager, wrinkles, years old, year old",
    },
    Fixed {
        about: "sex",
        phrases: "1boy, 1girl, boy, female, gentleman, girl, guy, lady, male, man, woman",
    },
    Fixed { about: "species", phrases: "elf, fangs, horns" },
];

/// The traits that `text` says, by place. `spared` phrases are none: the class word ("woman"),
/// and the trigger.
pub fn traits(text: &str, spared: &[&str]) -> Vec<Trait> {
    let words = words(text);
    let spared: Vec<String> = spared.iter().map(|phrase| phrase.to_lowercase()).collect();
    let is_spared = |at: usize| {
        let begins =
            |from: usize| spared.iter().any(|phrase| fits(&words[from..], phrase) > at - from);
        (0..=at).any(begins)
    };
    let mut found: Vec<(std::ops::Range<usize>, &'static str)> = Vec::new();
    for at in 0..words.len() {
        let described =
            DESCRIBED.iter().filter_map(|rule| Some((rule.found(text, &words, at)?, rule.about)));
        let fixed = FIXED.iter().flat_map(|rule| {
            let lengths = rule.phrases.split(", ").map(|phrase| fits(&words[at..], phrase));
            lengths.filter(|length| *length > 0).map(|length| (at..at + length, rule.about))
        });
        found.extend(described.chain(fixed).filter(|(range, _)| !range.clone().all(is_spared)));
    }
    // "long blond hair" and not "blond" again: a trait inside a longer one is part of it.
    found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    found.dedup_by(|next, kept| next.0.start < kept.0.end);
    let one = |(range, about): (std::ops::Range<usize>, &'static str)| {
        let (start, end) = (words[range.start].start, words[range.end - 1].end);
        Trait { about, words: text[start..end].to_owned(), at: start }
    };
    found.into_iter().map(one).collect()
}

impl Described {
    /// The words that end in a noun at `at` and tell of it.
    fn found(&self, text: &str, words: &[Word], at: usize) -> Option<std::ops::Range<usize>> {
        if !lists(self.nouns, &words[at]) {
            return None;
        }
        let behind = words.get(at + 1).filter(|next| joined(text, &words[at], next));
        if behind.is_some_and(|next| lists(WORN, next)) {
            return None;
        }
        let tells = |word: &Word| self.tellers.iter().any(|list| lists(list, word));
        let mut first = at;
        while first > 0 && joined(text, &words[first - 1], &words[first]) {
            let and = words[first - 1].text == "and" && first > 1 && tells(&words[first - 2]);
            if !tells(&words[first - 1]) && !and {
                break;
            }
            first -= 1;
        }
        (first < at).then(|| first..at + 1)
    }
}

/// Whether `word` is in a list of words parted by spaces.
fn lists(list: &str, word: &Word) -> bool {
    list.split(' ').any(|one| one == word.text)
}

/// How many of `words` the `phrase` takes if they begin with it, or 0.
fn fits(words: &[Word], phrase: &str) -> usize {
    let parts = phrase.split([' ', '-', '_']).filter(|part| !part.is_empty());
    let (mut fit, mut length) = (true, 0);
    for part in parts {
        fit &= words.get(length).is_some_and(|word| word.text == part);
        length += 1;
    }
    if fit { length } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        traits(text, &["woman", "mika"]).into_iter().map(|found| found.words).collect()
    }

    #[test]
    fn traits_are_found_with_all_the_words_that_tell_of_them() {
        let text = "mika woman with long, wavy blond hair and blue-green eyes, freckles";
        assert_eq!(found(text), ["wavy blond hair", "blue-green eyes", "freckles"]);
        assert_eq!(
            found("1girl, blue_eyes, dark-skinned_female"),
            ["1girl", "blue_eyes", "dark-skinned", "female"]
        );
        assert_eq!(
            found("a tall, middle-aged man with a short beard"),
            ["middle-aged man", "beard"]
        );
        assert_eq!(found("her black and white hair"), ["black and white hair"]);
    }

    #[test]
    fn what_varies_between_photos_is_no_trait() {
        for text in [
            "mika woman in a blue dress, wet hair, eyes closed",
            "mika woman, wind in her hair, wide open eyes, red lipstick, round glasses",
            "an old town, a young tree, a white wall, a long road, brown coat, hair loose",
            "a woman smiling, red hair ribbon, wide eyes, full face, looking at viewer, white background",
        ] {
            assert_eq!(found(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_class_word_is_spared_and_other_sexes_are_not() {
        assert_eq!(found("a woman"), Vec::<String>::new());
        assert_eq!(found("a man, a woman"), ["man"]);
        assert_eq!(found("a young woman"), ["young woman"]);
    }

    #[test]
    fn every_word_of_the_lists_is_one_that_a_text_can_have() {
        let tellers =
            DESCRIBED.iter().flat_map(|rule| rule.tellers.iter().flat_map(|list| list.split(' ')));
        let nouns = DESCRIBED.iter().flat_map(|rule| rule.nouns.split(' '));
        for word in tellers.chain(nouns) {
            assert_eq!(super::words(word)[0].text, word);
        }
        let phrases: Vec<_> = FIXED.iter().flat_map(|rule| rule.phrases.split(", ")).collect();
        assert!(phrases.len() > 60);
        for phrase in phrases {
            assert_eq!(traits(phrase, &[]).len(), 1, "{phrase}");
        }
    }
}
