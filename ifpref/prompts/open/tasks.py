"""The writing tasks of the `open` domain: some hundred kinds of text, each asked for in several ways.

A task names the kinds of topic that it suits, so that a manual is asked for a product and a curriculum
vitae for a person; `fits` tells. Wordings differ in shape, voice, length and in where the topic stands, and
say nothing of length, language, layout or letters: that is what the constraints are for. Topics are noun
phrases, so `{topic}` stands after a preposition or as an object. The table is data and is meant to be read
and edited: `[id: kinds]`, then one wording a line (a backslash joins lines).

    OpenTask(id="user_manual", requests=("Write a user manual for {topic}. ...", ...), kinds=("product",))
"""

from __future__ import annotations

from dataclasses import dataclass

from ifpref.prompts.domain import Task
from ifpref.prompts.open.topics import KINDS, OpenTopic


@dataclass(frozen=True)
class OpenTask(Task):
    """A task with the kinds of topic that it suits, out of `KINDS`."""

    kinds: tuple[str, ...] = tuple(KINDS)


def fits(task: OpenTask, topic: OpenTopic) -> bool:
    """Whether a request for that task reads well with that topic."""
    return topic.kind in task.kinds


_TABLE = """
[letter_to_friend: any]
Write a letter to an old friend about {topic}.
I have not written to my best friend in years. Help me start again with a letter about {topic}.
Could you draft a warm and chatty letter to a friend abroad? It should be mostly about {topic}.
A friend of mine is in hospital and loves getting post. Compose a cheerful letter for her about {topic}.
Please write to my pen friend. She wants to hear about {topic}, so make that the heart of the letter.

[letter_to_editor: product place event moment science history idea]
Write a letter to the editor of a local newspaper about {topic}.
Our town paper prints letters from readers every Friday. Write one on the subject of {topic}.
Draft a reader's letter to a weekly magazine. The tone should be firm but polite, and the subject is {topic}.
I was annoyed by an article about {topic}. Can you put together a reply for the letters page?
The magazine that I subscribe to never writes about {topic}. Tell the editor so in a spirited letter.

[letter_of_complaint: product place event]
Write a letter of complaint about {topic}.
Something about {topic} has made me furious. Write a polite complaint that will still get me an answer.
Could you help me complain about {topic}? The letter goes to the manager and should stay calm and factual.
Compose an absurdly detailed letter of complaint in which an elderly colonel grumbles about {topic}.
My aunt was badly disappointed by {topic} and wants her money back. Draft the letter for her.

[letter_of_apology: product object event moment]
Write a letter of apology to a neighbour. The unlucky incident had to do with {topic}.
I owe my sister an apology because of {topic}. Help me find the right words.
Draft an apology from one flatmate to another. The trouble between them has to do with {topic}.
It was all a misunderstanding about {topic}, and now I have to say sorry to a colleague. What could I write?
Pretend that you are a very proud duke who has to apologise in writing for an insult about {topic}.

[letter_of_recommendation: person]
Write a letter of recommendation for {topic}.
I have worked for years with {topic} who is now looking for a new position. Write a recommendation for me.
Could you compose a warm reference for {topic}? It should mention strengths, habits and one small weakness.
A former colleague, {topic}, has asked me for a reference. Please write one that sounds personal.

[thank_you_to_person: person]
Write a letter of thanks to {topic}.
My family wants to say thank you to {topic}. Put our gratitude into words.
How would a child thank {topic}? Write the letter in the voice of somebody aged nine.
Last month my life was made easier by {topic}. I would like to send a thank you note that is not full of \
phrases.
Draft a thank you letter from a whole village to {topic}.

[thank_you_for_gift: product object]
Write a letter that thanks a grandmother for {topic}.
For my birthday an uncle sent me {topic}. Write him a thank you letter with some humour.
I was given {topic} by my colleagues and need to thank them. Could you write something sincere?
Compose the thank you letter of somebody who received {topic} and has no idea what to do with it.

[letter_from_the_future: product place person science history idea]
Write a letter from somebody who lives a hundred years from now. It is about {topic}.
Imagine that a letter from the next century falls out of an old book. Its author explains what became of \
{topic}. What does it say?
Our club is filling a time capsule. Help us write the letter to those who open it and tell them about {topic}.
Pretend to be a historian of the far future and write home about {topic} as you see it.

[formal_letter_to_council: place event science history idea]
Write a formal letter to the city council about {topic}.
Our residents' group would like the mayor to think about {topic}. Draft the letter that we will all sign.
I want to ask my local council for more money. The money would go to a project about {topic}. Write the \
letter.
Can you compose an official letter to a minister about {topic}? Please keep it respectful and to the point.

[love_letter: product object place]
Write a love letter to {topic}.
Compose a slightly exaggerated love letter. It is addressed to {topic}.
Somebody has fallen in love with {topic} and cannot keep it secret any longer. Write their letter.
I bet my friends that one can write a tender letter to {topic}. Help me win the bet.

[letter_to_younger_self: activity event moment history idea]
Write a letter to your younger self about {topic}.
What would a retired sailor tell the boy he used to be about {topic}? Write his letter.
At the end of school our teacher asks us to write to the child we once were. My letter should be about \
{topic}.
Help a middle-aged woman write to herself at the age of twelve. She has learned something about {topic}.

[invitation: event]
Write an invitation to {topic}.
We are organising {topic} and would like the whole neighbourhood to come. Write the invitation.
Could you compose an invitation to {topic} that even the shyest colleague would accept?
Invite a strict old professor to {topic} in suitably elegant language.
My sister is in charge of {topic} and nobody has answered so far. Write a second and more tempting invitation.

[email_to_colleagues: product activity place event science idea]
Write an email to your colleagues about {topic}.
I have to send a friendly email around the office about {topic}. Please draft it.
Our new team leader wants to tell everybody about {topic} without sounding bossy. Write her email.
Draft a message to all staff. Its subject line mentions {topic} and its tone is relaxed.

[newsletter_article: any]
Write an article about {topic} for a monthly newsletter.
The newsletter of our sports club has an empty page. Fill it with something readable about {topic}.
Could you write a piece about {topic} for the newsletter of a small company?
Every month I send a newsletter to gardeners, but this time I would rather write about {topic}. Draft it \
for me.
I edit the parish newsletter. Please supply a friendly column about {topic}.

[memo: product place event science idea]
Write an internal memo about {topic}.
The board of a museum wants to be informed about {topic}. Draft the memo.
As the head of a small department I need a memo on the subject of {topic}. What should it say?
Compose a mock memo from the ministry of common sense about {topic}.

[story: any]
Write a story about {topic}.
Tell me a story in which everything turns on {topic}.
I would love to read something made up about {topic}. Surprise me with the ending.
Somewhere in a harbour town, two strangers start to talk about {topic}. Continue the story.
My grandfather invents a tale every evening. Tonight he was asked for one about {topic}. How does it go?
Write a piece of fiction that opens with rain and ends with {topic}.

[bedtime_story: any]
Write a bedtime story about {topic}.
My daughter cannot fall asleep. Tell her a gentle story about {topic}.
Could you invent a calm goodnight story with a rabbit, a moon and {topic} in it?
I need a story to read aloud to twins of five. They have asked for something about {topic}.
Make up a soothing tale that slowly sends its listener to sleep. It is about {topic}.

[mystery_story: object place event person moment product]
Write a mystery story about {topic}.
A detective is called because of {topic}. Write the case from the first clue to the solution.
Invent a crime without violence in which {topic} plays a part, and let a retired teacher solve it.
Every witness remembers something else about {topic}. Turn this into a detective story.

[ghost_story: object place event moment history]
Write a ghost story about {topic}.
We are sitting round a campfire. Tell us something eerie about {topic}.
Could you write a ghost story that is more funny than frightening? It has to do with {topic}.
An old housekeeper swears that there is something strange about {topic}. Let her tell it.

[science_fiction: product place person science idea activity]
Write a science fiction story about {topic}.
Three centuries from now, people on a space station are talking about {topic}. Write the scene and what \
follows.
What would an alien visitor make of {topic}? Answer with a story.
Set a story about {topic} in a colony on Mars.

[fable: activity object moment idea science event]
Write a fable about {topic}.
Invent a fable with two animals who disagree about {topic}. End with a moral.
My pupils are reading fables. Write a new one about {topic} in which a fox learns something.
Is there a lesson in {topic}? Let a crow and a tortoise find out.

[myth: place object science history idea]
Write a myth about {topic}.
Invent the legend that an island people might tell about {topic}.
How would the ancients have explained {topic}? Make up a myth with gods, jealousy and a bargain.
A storyteller sits down by the fire and begins the oldest tale of her tribe, the one about {topic}. Write it.

[fairy_tale: person object place event moment activity]
Write a fairy tale about {topic}.
Once upon a time there was a kingdom in which nobody had ever heard of {topic}. Continue from here.
Turn {topic} into the centre of a fairy tale with a witch who is not as bad as people say.
Please tell a modern fairy tale for grown people. It should deal with {topic}.

[love_story: person place event moment object activity]
Write a love story that begins with {topic}.
Two people meet because of {topic}. Tell how it goes on.
Could you write a quiet love story about {topic} for readers who dislike kitsch?
She is shy, he is late, and between them there is {topic}. Write their story.

[adventure_story: place person object activity history science]
Write an adventure story about {topic}.
A crew of four sets out because of {topic}. Describe the journey and its dangers.
My nephew likes maps, storms and narrow escapes. Write him an adventure about {topic}.
Begin with a slammed door and end with {topic}: write an adventure.

[story_opening: any]
Write the opening of a novel about {topic}.
How might a great novel about {topic} begin? Write its first scene.
I want to write a book about {topic} and am stuck at the beginning. Give me an opening to work with.
Draft the first pages of a family saga in which {topic} will matter a great deal.

[diary_entry: activity event moment place person product]
Write a diary entry about {topic}.
Dear diary: continue from here in the voice of a teenager who cannot stop thinking about {topic}.
What would a ship's cook write into his diary about {topic}?
It is late, the lamp is low, and somebody opens a diary to write about {topic}. Write the entry.
Invent the private notes of a nervous mayor about {topic}.

[travel_diary: place]
Write a travel diary about a visit to {topic}.
I have just come back from {topic} and did not write anything down. Invent the travel notes that I should \
have kept.
Describe a journey to {topic} as a painter would put it down in a travel journal.
Let a grumpy tourist keep a diary during a visit to {topic}.

[memoir: activity event moment place object person]
Write a passage from a memoir about {topic}.
An old actress looks back on her life and comes to speak of {topic}. Write the passage.
Write in the first person, as somebody remembering their childhood, about {topic}.
Could you write a tender and honest memory of {topic} as it might appear in an autobiography?

[monologue: person]
Write a monologue for {topic}.
Let {topic} speak: what would this person say alone on a dark stage?
I am an actor and need an audition piece. The character is {topic}. Write a monologue with a turning point.
Give a voice to {topic} at the end of a very bad day.

[dialogue: any]
Write a dialogue about {topic}.
Two neighbours meet at the bins and get into an argument about {topic}. Write down what they say.
Could you write a conversation between a robot and a gardener about {topic}?
I teach a class in conversation. Please write a natural dialogue between two friends about {topic}.
During a long drive, a mother and her grown son talk about {topic}. Write their dialogue.

[phone_call: product place event moment object idea]
Write the transcript of a phone call about {topic}.
Somebody rings the wrong number and ends up discussing {topic}. Write the call.
Write a telephone conversation in which a customer asks far too many questions about {topic}.
What would a worried aunt say on the phone about {topic}? Write both sides of the call.

[radio_play: object place moment history person event]
Write a scene for a radio play about {topic}.
Our amateur group records radio plays. We need a scene with two voices and some noises about {topic}.
Can you write something for the ear only, with sounds and speech, about {topic}?
A storm outside, a crackling fire inside: write a radio scene in which people speak of {topic}.

[stage_scene: object place moment person event idea]
Write a scene for the stage about {topic}.
The drama club of my school needs a comedy scene. It should be about {topic}.
Write a play with two actors and one chair. The audience must understand that it is all about {topic}.
Could you draft a tragic scene in which three siblings quarrel over {topic}?

[film_pitch: any]
Write a pitch for a film about {topic}.
A producer has five minutes for me in a lift. Help me sell a film about {topic}.
I dream of a documentary about {topic}. Describe what viewers would see and why they should care.
Outline a television series that is built around {topic}.

[game_quest: person place object event science history]
Write a quest for a role-playing game about {topic}.
I am the game master of a fantasy group. Prepare an adventure for my players that involves {topic}.
Design a mission for a video game. The player learns early on that it is about {topic}.
Describe a puzzle room in which a team of visitors must find out the truth about {topic}.

[comic_script: any]
Write the script for a comic about {topic}.
My brother draws and cannot write. Give him a script for a comic about {topic}, panel by panel.
Invent a comic strip in which a cat and a pigeon comment on {topic}.
Could you write the captions and speech for a picture story about {topic}?

[group_chat: product activity place event moment idea]
Write a group chat between four friends about {topic}.
Invent the messages that fly back and forth in a family chat after somebody brings up {topic}.
My book needs a chapter told in text messages only. Let two cousins chat about {topic}.
How would the gods of Olympus discuss {topic} in a group chat?

[explain_to_child: product science history idea activity]
Explain {topic} to a child of seven.
My little niece keeps asking about {topic}. What can I tell her?
I teach a class of eight-year-olds. Explain {topic} in terms that they will understand.
Use a story from the kitchen to explain {topic} to a curious child.
Can you explain {topic}? Use nothing but simple words and a comparison or two.

[explain_to_newcomer: science history idea activity product]
Explain {topic} to somebody who has never heard of it.
A guest from a remote valley asks me about {topic}. How would you explain it to him?
I missed the lesson about {topic}. Please explain what matters.
What should everybody know about {topic}? Write an explanation without jargon.
My grandmother is clever and impatient. Explain {topic} in a way that suits her.

[lecture: science history idea]
Write a lecture about {topic}.
I am to give an evening lecture to a mixed audience. The subject is {topic}. Write what I should say.
Compose the opening lecture of a course about {topic} in the style of a witty professor.
Draft the text of a talk on {topic} for a summer academy.

[textbook_section: science history idea activity]
Write a section of a textbook about {topic}.
A school publisher has asked me for a text about {topic}. Pupils of fourteen should be able to follow it.
Could you write an introduction to {topic} as it might stand in a course book, with one worked example?
Write teaching material on {topic} for a class that is easily bored.

[encyclopaedia_entry: product activity place science history]
Write an encyclopaedia entry about {topic}.
What would an encyclopaedia say about {topic}? Write the article in a neutral voice.
I am compiling a reference work for hobbyists. Contribute the article about {topic}.
Write an article about {topic} as an encyclopaedia from another planet might have it.

[faq: product place event activity science]
Write a set of frequently asked questions about {topic}, with answers.
People keep asking me the same things about {topic}. Write a FAQ that spares me the trouble.
Which questions do beginners have about {topic}, and what are the answers? Put both on a page for our website.
Draft a question and answer page about {topic} in a dry and humorous tone.

[how_to: activity]
Write a guide to {topic}, step by step.
How does one get started with {topic}? Explain what to do first, next and last.
I know nothing at all about {topic}. Give me instructions that even I can follow.
Please write a tutorial about {topic} for a patient beginner.
Write practical instructions for {topic} as a gruff but kind master would give them.

[beginner_advice: activity]
Give advice to a beginner about {topic}.
What do you wish that people knew before they start with {topic}?
My brother has decided on {topic} as his new hobby. Write him some honest advice.
I am thinking about {topic}, but I am afraid of looking foolish. What would you tell me?

[common_mistakes: activity event]
Describe the mistakes that people make with {topic}.
What usually goes wrong with {topic}, and how can it be avoided?
Write an article for a hobby magazine about typical errors that have to do with {topic}.
I have failed with {topic} before. Tell me what I probably did wrong.

[myths_and_facts: science history activity idea product]
Write about common myths and facts about {topic}.
The internet is full of nonsense about {topic}. Set some of it right.
What do most people get wrong about {topic}? Write a piece for a science column.
Clear up popular mistakes about {topic} in a friendly tone.

[glossary: activity science history product place]
Write a glossary for people who read about {topic} for the first time.
Which terms do I need in order to talk about {topic}? Explain each of them.
For a leaflet about {topic} we need a small dictionary of terms. Please write it.
Invent a humorous dictionary of words that have to do with {topic}.

[quiz: science history place activity]
Write a quiz about {topic}, with the answers at the end.
I am hosting a pub quiz on Thursday. Write questions and answers about {topic}.
Test my knowledge of {topic} with questions that become harder and harder.
Prepare a quiz about {topic} for a rainy day at a summer camp.

[lesson_plan: science history idea activity]
Write a lesson plan about {topic}.
Next week I am standing in for a colleague and have to teach {topic}. Plan the lesson for me.
My class is restless after lunch. How could I teach them something about {topic}? Draft a plan.
Design a lesson that works without any screens. Its subject is {topic}.

[workshop_outline: activity idea]
Write an outline for a workshop on {topic}.
Our adult education centre wants to offer a workshop about {topic}. Describe goals, parts and materials.
I would like to run a weekend course about {topic} for people over sixty. Plan it.
Could you plan a team day at which everybody learns something about {topic}?

[study_notes: science history]
Write study notes about {topic}.
My exam is about {topic}. Sum up what I have to remember.
Write notes on {topic} as a diligent student would after a good lecture.
Help me revise {topic} by pulling together the most important points and linking them.

[comparison: product activity]
Compare {topic} with its closest alternative.
Should I choose {topic} or something else altogether? Weigh it up for me.
Write a fair comparison for a consumer magazine. One side of it is {topic}, and the other is up to you.
My parents are not sure about {topic}. Compare it with what they are used to.

[pros_and_cons: product activity idea]
Discuss the advantages and disadvantages of {topic}.
What speaks for {topic}, and what speaks against it?
I cannot make up my mind about {topic}. Lay out both sides for me.
Write an even-handed piece about {topic} in which an optimist and a pessimist both get their say.

[user_manual: product]
Write a user manual for {topic}. It should cover the first use, care and possible problems.
Our company makes {topic} but the instructions are a mess. Write new ones.
Write instructions for {topic}, so friendly that people read them for fun.
Could you write the chapter about maintenance for the manual of {topic}?
Imagine the manual of {topic} as written by an anxious butler. Write it.

[troubleshooting: product]
Write a troubleshooting guide for {topic}.
Customers call us all day about {topic}. Write down the usual problems and what to do about them.
Last spring I bought {topic} and now something is wrong. Tell me what to check, in a sensible order.
Draft the answers of a patient support agent to three angry messages about {topic}.

[safety_notice: product activity place event]
Write a safety notice about {topic}.
What should people watch out for when it comes to {topic}? Write a notice for the wall.
Write safety advice about {topic}. It should make people smile and still keep them safe.
An insurance company would like to send its customers some advice about {topic}. Draft it.

[product_description: product]
Write a product description for {topic}.
We sell {topic} in our online shop and need a text that makes people want it.
Describe {topic} for the catalogue of a mail order company that is proud of its honesty.
Please write lively shop copy for {topic}. Our buyers are young parents.
What would you write on the box of {topic}?

[product_review: product]
Write a review of {topic} after a month of daily use.
I have bought {topic} and am not sure what to think of it. Write a balanced review.
Review {topic} in the style of a wine critic.
Write the enthusiastic review that a retired engineer would leave for {topic}.
Tell other customers about the good and bad sides of {topic}.

[advertisement: product place event]
Write an advertisement for {topic}.
Our budget is small and our hopes are big. Write an advertisement that makes people talk about {topic}.
Could you advertise {topic} to people who hate advertising?
Write a magazine advertisement from the golden age of travel. It praises {topic}.
Create advertising copy about {topic} for the side of a tram.

[radio_advert: product place event]
Write a radio spot for {topic}.
A local station is giving us free air time. Write a spot about {topic} with two speakers.
Can you write an advertisement that works without pictures? It is for {topic}.
Write a radio commercial in which a weather forecaster keeps drifting off to talk about {topic}.

[landing_page: product event place]
Write the text for a website about {topic}.
I am building a homepage for {topic}. Write the welcome text and a few parts below it.
Visitors to our site should understand at once what is special about {topic}. Supply the copy.
Write web copy about {topic} in a calm voice and without any superlatives.

[press_release: product place event history]
Write a press release about {topic}.
Tomorrow we are going public with {topic}. Draft the press release.
Journalists throw most press releases away. Write one that they will keep. It is about {topic}.
As the spokesperson of a small foundation I need a press release about {topic}. Please write it.

[crowdfunding_pitch: product place event]
Write a crowdfunding appeal for {topic}.
Without donations there will be no future for {topic}. Write a text for our fundraising page.
We want to raise money for {topic}. Explain to strangers on the internet why they should help.
Could you write a fundraising text that does not beg? The cause is {topic}.

[startup_pitch: product]
Write a pitch to investors for a young company that makes {topic}.
My startup has one product: {topic}. Convince three sceptical investors.
Write what a founder would say on stage to present {topic}.
Present {topic} to a jury as if it were the most important invention of the year.

[brand_story: product]
Write the story of the family business behind {topic}.
Whose idea was it to make {topic}? Invent a charming brand story.
Our customers like to know where things come from. Tell them a story about the making of {topic}.
A small workshop makes {topic} and nothing else. Introduce it to the visitors of its website.

[auction_entry: object]
Write an entry for an auction catalogue about {topic}.
An auction house is going to sell {topic}. Describe it so that collectors hold their breath.
How would an expert describe {topic} to bidders? Include its supposed history.
Write a mock auction entry that makes {topic} sound priceless.

[museum_text: object history]
Write the text for a museum display about {topic}.
The smallest museum in the country has a room about {topic}. Write the text on its wall.
Visitors of all ages stop in front of a display about {topic}. What should they read there?
I curate an exhibition about {topic}. Draft an introduction for the entrance.

[essay: any]
Write an essay about {topic}.
Reflect in an essay on {topic} and on what we might learn from the subject.
My professor wants a personal essay. I chose {topic} as the subject. Please draft it.
Could you write a thoughtful essay that begins with a small observation and arrives at {topic}?
Write an essay on {topic} in the manner of an amused observer.

[opinion_column: activity idea history science event]
Write an opinion column about {topic}.
As a columnist for a Sunday paper, say what you think about {topic}.
Everybody seems to have a view on {topic}. Write a column with one that is rarely heard.
Write a sharp but fair commentary on {topic}.

[debate_opening: idea product]
Write the opening statement of a debate about {topic}.
I have to speak first in a debate about {topic}. Write a speech that is hard to answer.
Our debating society is discussing {topic}, and I have drawn the unpopular side. Help me begin.
Write two opposing statements about {topic} for a school debate.

[persuasive_speech: activity idea place product]
Write a persuasive speech about {topic}.
Persuade a room full of doubters to look at {topic} with new eyes.
I have to speak to the parents' evening about {topic}. Make my speech convincing.
Persuade my stubborn uncle that there is something to be said for {topic}.

[blog_post: any]
Write a blog post about {topic}.
I run a blog about everyday wonders. The next post is about {topic}. Write it.
Could you write a personal blog post in which the author changes their mind about {topic}?
My blog has twelve readers, and all of them want to hear about {topic}. Write something for them.
Write a witty post for a blog. The subject is {topic}.

[social_media_posts: product activity place event]
Write a series of social media posts about {topic}.
The museum where I work wants to be noticed online. Write posts about {topic}.
How could we announce {topic} on social media without sounding like everybody else?
Draft a week of posts about {topic} for the account of a village association.

[satirical_article: any]
Write a satirical news article about {topic}.
Make fun of the way experts talk about {topic} in a mock report.
Write a parody of a breathless newspaper story. The story is about {topic}.
Everything is upside down in a certain country, and its front pages are full of {topic}. Write the satire.

[manifesto: activity idea place]
Write a manifesto about {topic}.
We are a small group of artists with strong feelings about {topic}. Draft our manifesto.
Declare your love for {topic} in a manifesto that could hang on a cafe wall.
What would a society for the defence of {topic} print in its manifesto?

[wedding_toast: activity idea object place event moment]
Write a wedding toast that uses {topic} as its theme.
I am the best man, and the couple first met because of {topic}. Write my toast.
Raise a glass: compose a toast that comes round to {topic} and to the happy couple.
My sister is getting married, and she has always loved stories about {topic}. Help me with a toast.

[graduation_speech: activity idea history science]
Write a graduation speech about {topic}.
I have been chosen to speak for our year and would like to talk about {topic}. Write the speech.
What can young people who leave school learn from {topic}? Put it into a speech.
Draft a speech for a headteacher who always finds a way to mention {topic}.

[farewell_speech: person]
Write a farewell speech for the retirement of {topic}.
After thirty years we are saying goodbye to {topic}. Write something for the party.
Compose a humorous farewell speech in honour of {topic}.
The whole town has come to bid farewell to {topic}. What does the mayor say?

[award_speech: person product]
Write a speech for an award ceremony. The prize goes to {topic}.
Against all odds, the award of the year goes to {topic}. Write the words of praise.
Present an award to {topic} with warmth and a little irony.
I have the honour of giving a prize to {topic}. Please write what I should say.

[obituary_for_object: object product]
Write an obituary for {topic}.
After a long and useful life, we mourn the loss of {topic}. Write the obituary.
My family was oddly attached to {topic}, and now it is gone. Write a funeral speech.
Write a funny and touching farewell to {topic} as if it had been a person.

[motivational_talk: activity idea]
Write a motivational talk about {topic}.
My team has lost heart. Encourage them with a talk about {topic}.
Give a pep talk to somebody who has given up on {topic}.
Avoid every cliché and write an uplifting speech about {topic}.

[podcast_intro: any]
Write the introduction to a podcast episode about {topic}.
Welcome to our show: continue from here and introduce an episode about {topic}.
Two hosts who interrupt each other open a podcast about {topic}. Write the script.
I record a podcast for sleepless people. Write a calm opening for the episode about {topic}.

[news_report: place event moment history]
Write a news report about {topic}.
You are a reporter on the spot. Tell the viewers at home about {topic}.
Report on {topic} for the evening news of a very small country.
Write a sober newspaper article about {topic} with a quotation from somebody who was there.

[sports_commentary: activity event moment]
Write a sports commentary about {topic}.
Imagine two overexcited commentators who describe {topic} live. What do they say?
Treat {topic} as if it were the final of a world championship and comment on it.
Could a retired champion comment on {topic} for the radio? Write it.

[interview: person]
Write an interview with {topic}.
A magazine sends a reporter to talk to {topic}. Write the questions and the answers.
What would {topic} say in an interview about work, luck and fear? Write it.
Invent a radio interview in which {topic} reveals a secret.

[interview_questions: person activity history idea]
Write interview questions for an expert on {topic}.
Tomorrow I am meeting somebody who knows everything about {topic}. What should I ask?
Prepare a student reporter for a talk with someone whose life has been shaped by {topic}.
Draft questions for a relaxed interview about {topic}, and say why each of them is worth asking.

[event_plan: event]
Write a plan for {topic}.
We have two weeks and little money to organise {topic}. How should we go about it?
I have been put in charge of {topic} and have never done such a thing. Make a plan for me.
Plan {topic} from the first idea to the tidying up.
What has to be done for {topic}, by whom and when? Draft a plan for our committee.

[schedule: event activity]
Draw up a schedule for {topic}.
I lose track of time whenever I am busy with {topic}. Plan a day for me, hour by hour.
Suggest a timetable for {topic} with plenty of breaks.
Write a schedule for {topic} and explain the thinking behind it.

[itinerary: place]
Write an itinerary for a visit to {topic}.
We are taking three generations of our family to {topic}. Plan the trip.
Plan a visit to {topic} for two people who like good food and hate queues.
What is the best way to get to know {topic}? Suggest a route and some stops.
My students have never been to {topic}. Plan an excursion for them.

[training_programme: activity]
Write a training programme for {topic}.
I want to become good at {topic} within a season. How should I practise?
Design a course of exercises that prepares people for {topic}.
My coach says that {topic} is a matter of routine. Write the routine.

[checklist: activity event]
Write a checklist for {topic}.
I always forget something when it comes to {topic}. Write me a list of what to think of.
What do I need for {topic}? Sort it by importance.
Help a forgetful friend prepare for {topic} with a list and some good advice.

[packing_advice: place]
Write packing advice for a trip to {topic}.
What should I pack for a visit to {topic}, and what had I better leave at home?
My suitcase is tiny. Tell me what I really need on a trip to {topic}.
Advise an overcautious traveller on what to take along to {topic}.

[business_plan: place event activity]
Write a business plan for a small company that has to do with {topic}.
I would like to earn a living with {topic}. Sketch a business plan.
How might a clever family make money with {topic}? Draft a plan that a bank could accept.
Two friends want to turn {topic} into a business. Write their plan, risks included.

[funding_proposal: place event activity science history]
Write a proposal for a project about {topic}.
A foundation gives grants to odd ideas. Apply for one with a project on {topic}.
Help our association apply for funding. The deadline is near, and the project is about {topic}.
Write a convincing proposal to the culture office. It is about {topic}.

[meeting_agenda: event product place idea]
Write an agenda for a meeting about {topic}.
We have to discuss {topic} at the next meeting and always run out of time. Plan the meeting well.
Write the minutes of a chaotic meeting about {topic}.
Our committee meets to talk about {topic}. Prepare notes for the person in the chair.

[poem: any]
Write a poem about {topic}.
Compose some verses about {topic} for a friend who is fond of the sea.
Could you write a poem that never quite says that it is about {topic}?
I need a poem for a card, and the theme is {topic}.
Turn {topic} into a poem with a quiet last line.

[song_lyrics: any]
Write the lyrics of a song about {topic}.
Our band has a melody and no words. Give us lyrics about {topic}.
Write a sea shanty about {topic}.
What would a country singer make of {topic}? Write the song.
Compose a cheerful children's song about {topic}.

[ballad: person object place event moment history]
Write a ballad about {topic}.
Tell the tale of {topic} in rhymed verses, as a wandering singer would.
Long ago people sang about such things. Write a ballad on the subject of {topic}.
Could you write a mock-heroic ballad about {topic}?

[lullaby: object place science moment idea]
Write a lullaby about {topic}.
My baby loves to be sung to. Write a lullaby about {topic}.
Compose a lullaby that a lighthouse might sing. It tells of {topic}.
Write words for a slow and soft song about {topic}.

[ode: product object activity place science]
Write an ode to {topic}.
Praise {topic} in solemn verses.
Nobody has ever written an ode to {topic}. Change that.
In the style of a very grateful poet, celebrate {topic}.

[riddles: product object place person science]
Write some riddles about {topic}.
Make up riddles whose answers all have to do with {topic}, and give the solutions.
My children love riddles on long drives. Invent a few about {topic}.
A sphinx guards a bridge and asks travellers about {topic}. What are her riddles?

[jokes: product activity place person event idea]
Write some jokes about {topic}.
I am a shy comedian and my next set is about {topic}. Write it for me.
What is funny about {topic}? Show me.
Write a comic routine that a grandmother could enjoy. It is about {topic}.

[list_of_ideas: activity event place idea]
Give me ideas for a class project about {topic}.
We are running out of ideas. What could a youth group do around {topic}?
Brainstorm with me about {topic} and explain the best of your ideas.
Suggest unusual ways to look at {topic}.

[list_of_reasons: activity idea product place]
Give reasons to care about {topic}.
What makes {topic} interesting? Give reasons, from the obvious to the odd.
Name good reasons to learn more about {topic}.
My friend sees no point in {topic}. Which reasons could change her mind?

[surprising_facts: science history place activity]
Write about surprising facts about {topic}.
What is little known about {topic}? Amaze me.
I collect curious facts for a calendar. Contribute some about {topic}.
I need something clever to say at dinner. Tell me curious things about {topic}.

[discussion_questions: any]
Write questions for a group discussion about {topic}.
My reading circle is going to talk about {topic}. Which questions would get us going?
Help me lead a conversation about {topic} among people who hardly know each other.
Suggest questions about {topic} for a philosophy class, and sketch a possible answer to each.

[survey: product place event activity]
Write a survey about {topic}.
We would like to know what people think of {topic}. Draft a questionnaire.
Which questions should a survey on {topic} ask, and how? Write it out.
Draft a friendly feedback form about {topic}.

[petition: place idea event]
Write a petition about {topic}.
My neighbours and I are collecting signatures, and it is all about {topic}. Write the petition.
Draft a petition that asks the government to take {topic} seriously.
Children of our school have started a petition about {topic}. Write it in their words.

[recipe: idea event moment]
Write a recipe for {topic}, with ingredients and method, as if it were a dish.
If {topic} could be cooked, what would one need and how would one prepare it?
A cookery writer has been asked to turn {topic} into a recipe. Write it with a wink.
Write an imaginary recipe that captures the flavour of {topic}.

[job_advert: person]
Write a job advertisement for {topic}.
We are looking for {topic} and nobody applies. Write an advertisement that does better.
Please advertise the position of {topic} in an honest and slightly funny way.
Draft a vacancy notice. The successful applicant will work as {topic}.

[cover_letter: person]
Write a cover letter for somebody who is applying to work as {topic}.
My cousin has always dreamed of being {topic}. Write her application.
After many years in an office I want to become {topic}. Help me explain this in a letter of application.
Write the boldest application ever sent in by {topic}.

[resume: person]
Write a curriculum vitae for {topic}.
Invent the career of {topic} and put it into a resume.
Can you draft a resume for {topic} who is looking for a change?
Write the resume of {topic} so that it tells a story.

[performance_review: person]
Write a performance review for {topic}.
As the supervisor of {topic}, I have to write a yearly appraisal. Draft it for me.
Appraise the work of {topic} in a fair and encouraging tone.
Every employee gets a review in spring. This time it is about {topic}. Write it.

[day_in_the_life: person]
Describe a day in the life of {topic}.
What does a normal day look like for {topic}? Start before sunrise.
A magazine for young people presents one profession in each issue. Write the portrait of {topic}.
Follow {topic} through the strangest day of the year.

[character_sketch: person]
Write a character sketch of {topic}.
In my novel there is {topic} who seems too perfect. Describe this person with faults and secrets.
Who is {topic} when nobody is watching? Write a portrait.
Describe {topic} through the objects in their pockets.

[biography: person]
Write a biography of {topic}.
Invent the life story of {topic} from childhood to old age.
The local history society is publishing a book of lives. Write the chapter about {topic}.
Tell the life of {topic} as a loyal dog might tell it.

[travel_guide: place]
Write a travel guide entry about {topic}.
Readers of our travel magazine love places off the beaten track. Tell them about {topic}.
What should a first visitor to {topic} know, see and taste?
Describe {topic} for travellers who can only come in bad weather.

[place_review: place]
Write a visitor's review of {topic}.
I have just visited {topic} and would like to share my impressions. Write the review for me.
Write a review of {topic} by somebody who expected something completely different.
Would you recommend {topic}? Review it for a family magazine.

[description: place object moment]
Describe {topic}.
Paint a picture of {topic} in words. Appeal to all the senses.
How would you describe {topic} to somebody who cannot see?
I am practising description. Show me a model text about {topic}.

[audio_guide: place object]
Write the text of an audio guide about {topic}.
Put on your headphones: write what visitors hear as they stand in front of {topic}.
Could you write an audio tour about {topic}? It is told by the oldest inhabitant, a mouse.
A city is making an audio walk. Write the stop that is about {topic}.

[house_rules: place event]
Write the rules of conduct for {topic}.
Visitors to {topic} have not been behaving well. Write rules that are firm and kind.
Draft a notice for guests of {topic}. It should explain what is allowed and why.
Write house rules for {topic}. Everybody should laugh first and then obey.

[field_notes: place science]
Write the field notes of a researcher about {topic}.
A young naturalist opens her notebook and writes about {topic}. What does she note down?
Write down observations about {topic} as an explorer of an earlier century might have done.
I teach scientific writing. Give me sample field notes about {topic}, with doubts and small sketches in words.

[experiment_report: science]
Write a report on a simple experiment about {topic}.
Our science club wants to investigate {topic}. Describe a safe experiment and what it shows.
Could pupils explore {topic} with things from the kitchen? Write the instructions and the explanation.
Report on an experiment that went wrong in an instructive way. It was meant to explore {topic}.

[timeline: history]
Write a timeline of {topic}.
Trace {topic} from the beginnings to the present.
What happened when? Set out {topic} in order for a visitor with little time.
Summarise {topic} as a sequence of turning points, and say what changed at each.

[eyewitness_account: history event moment]
Write an eyewitness account of {topic}.
You were there. Tell your grandchildren about {topic}.
Let a kitchen maid with sharp eyes describe {topic} as she saw it.
An archive has found an unknown account of {topic}. Write it.

[time_traveller: history]
Write the report of a time traveller about {topic}.
A tourist from our age lands in the midst of {topic}. What happens?
Suppose that you could witness {topic} for a single day. Describe what you would do.
Send a modern journalist back in time to report on {topic}, and print what she writes.

[advice_column: activity moment idea event]
Write a reader's letter about {topic} and the answer of an advice columnist.
Dear Aunt Agatha, my whole life is upside down because of {topic}. Write her reply.
What would a wise but blunt columnist say to a reader who worries about {topic}?
Answer a troubled reader who has asked for advice about {topic}.

[meditation: place moment science idea]
Write a guided meditation about {topic}.
I lead a relaxation class. Write a text in which the listeners imagine {topic}.
Close your eyes and think of {topic}: continue this as a calm exercise.
Could you write a soothing text about {topic} for people who cannot switch off?

[book_blurb: any]
Write the blurb for the back of a book about {topic}.
My first novel is about {topic}, and the publisher wants a text for the cover. Write it.
What would make you pick up a book about {topic}? Write that text.
Write jacket copy for a thriller that somehow revolves around {topic}.

[book_review: any]
Write a review of an imaginary book about {topic}.
A new book about {topic} has divided the critics. Invent it and review it.
Review a cookbook, a novel or a memoir that does not exist. It is all about {topic}.
Write a glowing review of a strange little book about {topic}.

[film_review: any]
Write a review of an imaginary film about {topic}.
Last night I saw a film about {topic} and walked out. Write my review.
As a critic for a student paper, review a silent film about {topic}.
A documentary about {topic} has won every prize this year. Does it deserve them? Write a review.

[art_commission: object place person moment idea]
An artist is going to paint a mural about {topic}. Write down what the town expects of it.
An imaginary gallery owns a painting of {topic}. Describe it.
Our town wants a sculpture that reminds people of {topic}. Write the call for designs.
Write a critic's response to a room full of pictures of {topic}.

[case_study: product activity place event science]
Write a case study about {topic}.
For a management course I need a case about {topic}, with a problem and a decision.
What can others learn from a success story about {topic}? Write it up as a case study.
Write about a made-up town that had trouble with {topic} and how it got out of it.

[horoscope: activity event moment object]
Write a playful horoscope in which {topic} turns up again and again.
According to the stars, everybody will soon have to deal with {topic}. Write the forecast.
A fortune teller looks into her glass and sees {topic}. What does she say?
Write predictions about {topic} in the voice of a cheerful astrologer.

[instructions_for_alien: product activity event place]
Explain {topic} to a visitor from another planet.
An alien has landed in my kitchen and is puzzled by {topic}. Tell it what it needs to know.
Write a guide for extraterrestrial tourists about {topic}.
Report to the home planet: an alien scout has observed {topic}. Write the report.

[superstition: object place moment person]
Write about a made-up superstition that has to do with {topic}.
In a certain valley people cross their fingers because of {topic}. Explain the custom and how it began.
Invent a local tradition around {topic} and describe it as an ethnographer would.
What do the old people say about {topic}? Write down their beliefs.

[tribute: person object place]
Write a tribute to {topic}.
Some heroes are never noticed. Write a tribute to {topic}.
It is time that somebody sang the praises of {topic}. Please do.
Write a few grateful pages about {topic} for an anniversary volume.
"""


def _parse(table: str) -> tuple[OpenTask, ...]:
    """The tasks of a table of `[id: kinds]` headings and wordings, in its order."""
    tasks = []
    for block in table.strip().split("\n\n"):
        heading, *requests = block.splitlines()
        id, kinds = heading.strip("[]").split(": ")
        tasks.append(OpenTask(id, tuple(requests), tuple(KINDS) if kinds == "any" else tuple(kinds.split())))
    return tuple(tasks)


TASKS = _parse(_TABLE)
