"""The wordings of the constraints, as data: id -> how a prompt may ask for it. `wording.py` fills them in.

A block is an id, its wordings, and after `>` its short wordings, separated by ` / `. In a wording

    {sentences}   is a counted noun, with the relation where there is one: "at least 3 sentences", "1 word"
    {times}       is a count of occurrences: "once", "no more than twice", "at all" (where there must be none)
    {keyword}     and the other arguments are quoted, lists joined: "a", "b" and "c"
    [a|b]         is `b` in the edge case and `a` otherwise: a count or list of one ("[keywords|keyword]") or,
                  with a relation, none at all ("[Use|Do not use]")

A wording says all that the check tests, and stands on its own: prompts put them in any order. Every id has 6
or 7, and 3 short ones of few and plain words for the embedded model. A new one is a new line. None has eight
words in a row from a prompt of IFEval, or a search for contaminated prompts would find nothing but these.
"""

TEMPLATES = """
keywords:existence
Include the [keywords|keyword] {keywords} in your response.
Make sure that the [words|word] {keywords} [appear|appears] in your response.
Your answer must contain the [keywords|keyword] {keywords}.
Use [each of the words|the word] {keywords} somewhere in your response.
Work the [words|word] {keywords} into your text.
Be sure to mention {keywords} at some point in your answer.
The [words|word] {keywords} must be part of what you write.
> Put the [words|word] {keywords} in it. / Use the [words|word] {keywords}. / It must have {keywords} in it.

keywords:frequency
[Use|Do not use] the word {keyword} {times} in your response.
The word {keyword} [should|should not] appear {times} in your response.
Make sure that the word {keyword} [appears|does not appear] {times}.
[Mention|Do not mention] the word {keyword} {times}.
The keyword {keyword} [must|must not] be used {times} in your answer.
In your response, [use|do not use] the keyword {keyword} {times}.
Your text [should|should not] contain the word {keyword} {times}.
> [Use|Do not use] the word {keyword} {times}. / [Say|Do not say] {keyword} {times}.
> The word {keyword} [must|must not] come up {times}.

keywords:forbidden_words
Do not use the [words|word] {forbidden_words} in your response.
Avoid using the [words|word] {forbidden_words}.
Your response must not contain the [words|word] {forbidden_words}.
Make sure not to include the [keywords|keyword] {forbidden_words}.
Write your answer without the [words|word] {forbidden_words}.
Please refrain from using the [words|word] {forbidden_words}.
You may not use the [words|word] {forbidden_words} anywhere in your answer.
> Do not use the [words|word] {forbidden_words}. / Never say {forbidden_words}.
> Do not write {forbidden_words} in it.

keywords:letter_frequency
Your response [should|should not] have the {letter} in it {times}.
[Use|Do not use] the {letter} {times} in your response.
Make sure that the {letter} [appears|does not appear] {times}.
In your response, the {letter}{cases} [must|must not] occur {times}.
Your answer [should|should not] contain the {letter} {times}.
[Include|Do not include] the {letter}{cases} {times} in what you write.
Across the whole response, the {letter} [should|should not] be found {times}.
> [Use|Do not use] the {letter} {times}. / The {letter} [must|must not] come up {times}.
> It [must|must not] have the {letter} {times}.

language:response_language
The whole of your response should be in {language}, with no other language in it.
Write your answer in {language} only.
Please respond using only the {language} language.
Answer entirely in {language}.
Make sure that your whole response is in {language} and in no other language.
Use {language} throughout, and do not mix in any other language.
Respond in {language}, and do not use any other language.
> Write it in {language}. / Use only {language}. / Answer in {language}.

length_constraints:number_sentences
Your response [needs to|must not] contain {sentences}.
[Write|Do not write] {sentences}.
Make sure that your answer [has|does not have] {sentences}.
[Answer in|Answer without] {sentences}.
Your answer [must|must not] be made up of {sentences}.
[Use|Do not use] {sentences} in your response.
The whole response [should|should not] have {sentences}.
> [Write|Do not write] {sentences}. / [Use|Do not use] {sentences}. / It [must|must not] have {sentences}.

length_constraints:number_paragraphs
Write exactly {paragraphs} and [put the markdown divider *** between them|leave out the markdown divider ***].
There should be exactly {paragraphs} in your response, [separated by ***|with no *** in it].
[Use the divider *** to split your response into|Do not use the divider ***: write] exactly {paragraphs}.
Your answer must have exactly {paragraphs}, [divided by three asterisks (***)|without any divider (***)].
Give exactly {paragraphs}, with [the markdown divider *** between one and the next|no markdown divider ***].
Structure your answer as exactly {paragraphs} with [a line of asterisks, ***, between them|no line of ***].
> Write exactly {paragraphs} with [*** between them|no ***]. / Make {paragraphs}, [split by ***|with no ***].
> [Put *** between paragraphs|Do not use ***], and write {paragraphs}.

length_constraints:number_words
Your response [needs to be|must be without] {words}[ long|].
[Write|Do not write] {words}.
[Answer in|Answer without] {words}.
Make sure that the whole response [has|does not have] {words}.
[The length of your response should be|Your response must not have] {words}.
[Use {words} in total|Do not use {words}].
Your answer as a whole [must|must not] have {words}.
> [Write|Do not write] {words}. / [Use|Do not use] {words}. / It [must|must not] have {words}.

length_constraints:nth_paragraph_first_word
Write exactly {paragraphs}[, separated by two line breaks|], and start the {ordinal} paragraph with the word \
{first_word}.
There should be exactly {paragraphs}[ with two line breaks between them|], and paragraph {nth} must start \
with the word {first_word}.
[Put two line breaks between paragraphs, write|Write] exactly {paragraphs}, and begin the {ordinal} with \
{first_word}.
Answer in exactly {paragraphs}[, split by blank lines|]; the {ordinal} must begin with the word {first_word}.
Use exactly {paragraphs}[, separated by blank lines|], the {ordinal} of which starts with {first_word}.
Give exactly {paragraphs}[, with a blank line between one and the next|], and open the {ordinal} with \
the word {first_word}.
> Write {paragraphs}[ with blank lines between|]; start paragraph {nth} with {first_word}.
> Start paragraph {nth} of {paragraphs}[, split by blank lines,|] with {first_word}.
> Make {paragraphs}[, split by blank lines|]; the {ordinal} starts with {first_word}.

detectable_content:number_placeholders
Include at least {placeholders} in square brackets, such as [address].
Your response must have at least {placeholders}, put in square brackets like [name].
Use {n} or more placeholders in square brackets, for example [date].
Make sure that there [are|is] at least {placeholders} written in square brackets, like [city].
Leave at least {placeholders} for me to fill in, written in square brackets, such as [phone number].
The response should have no fewer than {placeholders} in square brackets, for instance [location].
> Use at least {placeholders} like [name]. / Put in at least {placeholders} in square brackets.
> Leave {n} or more blanks in square brackets.

detectable_content:postscript
Let a postscript that starts with {postscript_marker} follow the main text.
After the main text, write a postscript that begins with {postscript_marker} and adds one more thought.
Your response should close with a {postscript_marker} postscript.
Include a postscript, marked {postscript_marker}, at the end.
Put {postscript_marker} at the beginning of a postscript that follows your answer.
Please finish with a postscript, and start it with {postscript_marker} exactly as written here.
> Add a {postscript_marker} at the end. / Put {postscript_marker} and a note at the end.
> Close with a {postscript_marker} note.

detectable_format:number_bullet_lists
Include exactly {bullet points} in markdown, [each on|on] a line that starts with "* " or "- ".
Your response must contain exactly {bullet points} in markdown format, such as "* This is a point".
Use exactly {bullet points}, [each beginning|beginning] with "* " or "- " on a line of its own.
Make sure that there [are|is] exactly {bullet points} in markdown ("* " or "- "), no more and no fewer.
Write exactly {n} markdown bullet [points|point], starting [each|the] line with "- " or "* ".
There should be exactly {bullet points} in your answer, using * or - as the markdown bullet.
Your answer must have exactly {bullet points}, in the markdown form "- This is a point".
> Use exactly {bullet points}. / Write just {bullet points}, with * or -.
> Have exactly {bullet points} that [start|starts] with * or -.

detectable_format:constrained_response
Answer with {options} and use that exact phrase.
Your response must contain one of these exact phrases: {options}, as it stands.
Pick {options} and include your choice word for word.
Choose one of the three options, {options}, and give it in these very words.
Give your verdict as {options}, without changing the phrase.
State your answer as one of the following, exactly as written: {options}, whichever fits best.
> Say {options} in it. / Answer {options}, in these words. / Choose {options}, word for word.

detectable_format:number_highlighted_sections
Highlight at least {sections} of your response with markdown, such as *highlighted section*.
Use *asterisks*, as in markdown, to make at least {sections} of your answer stand out.
Mark {n} or more sections of your text with asterisks, for example *highlighted text*.
Make sure that at least {sections} of your response [are|is] highlighted in markdown, like *this section*.
Wrap at least {parts} of your answer in asterisks, like *so*, to highlight [them|it].
Your response should have no fewer than {sections} highlighted in markdown with *asterisks*.
> Highlight at least {parts} like *this*. / Put stars around at least {parts}, like *this*.
> Mark {n} or more parts like *this*.

detectable_format:multiple_sections
Your response must have at least {sections}, headed {headings}.
Divide your answer into at least {sections}, and mark the start of each with {heading X}, X being its number.
Organize your response in {n} or more sections that are marked {headings}.
Write at least {sections}, each starting with {heading X}, where X is the number of the section.
Structure your response into no fewer than {sections} with the [headings|heading] {headings}.
Your answer should contain at least {sections}, labeled {headings}.
> Write at least {sections}, headed {headings}. / Use at least {sections}: {headings}.
> Make {n} or more sections, marked {headings}.

detectable_format:json_format
Your entire response should be valid JSON; putting it in markdown ticks (```) is fine.
Give the entire output as JSON, and write nothing outside of it.
Please give your whole answer as a single JSON value, with or without a ```json fence around it.
Make sure that the response is one valid JSON block and nothing else.
Format everything you write as JSON, without any text before or after it.
Respond only with JSON that a parser can read, optionally inside a ``` code block.
The whole response must be in JSON format.
> Write it all as JSON. / Answer only in JSON. / The whole answer must be JSON.

detectable_format:title
Your answer needs a title of its own, put in double angular brackets like <<title>>.
Give your response a title in double angular brackets, for example <<my title>>.
Include a title and wrap it in << and >>, so that it looks like <<this title>>.
Make sure that there is a title and that it stands on one line inside << and >>.
Put a title in double angle brackets, like <<this one>>, into your response.
Add a title of your own and enclose it in double angular brackets, like <<so>>.
> Give it a title like <<this>>. / Add a <<title>> in double angle brackets. / Put a title in << and >>.

combination:two_responses
Give exactly two different responses, separated by six asterisks: ******.
Write two different versions of your answer, and put six asterisk symbols (******) between them.
Provide exactly two different answers with a line of ****** between the first and the second.
Please offer exactly two alternative responses that are not the same, divided only by ******.
Respond twice, in two different ways, and separate the two responses with six asterisks (******).
There should be exactly two responses, different from each other and separated by ****** alone.
> Give two different answers with ****** between them. / Answer in two ways, split by ******.
> Write two different texts and put ****** between them.

combination:repeat_prompt
First repeat {request} word for word, changing nothing, and then answer it.
Before you answer, repeat {request} exactly as it is, and say nothing before that.
Begin by copying {request} word for word, with nothing in front of it, and only then answer it.
Your response must start with an exact repetition of {request} and continue with your answer.
Repeat {request} without changing a single word, and answer it after that.
Start your response by restating {request} verbatim, then move on to the answer itself.
> First repeat {request} word for word. / Start by copying {request}, then answer.
> Say {request} again first, then answer.

startend:end_checker
Finish with the exact phrase {end_phrase} and write nothing after it.
End your whole response with the exact words {end_phrase}, with no other words after them.
The very last words of your response should be {end_phrase}, exactly as written here.
Close your answer with the phrase {end_phrase} and add nothing after that phrase.
Your response must end with {end_phrase}, and no other words should follow it.
Make {end_phrase} the exact ending of your response.
> End with {end_phrase} and nothing more. / Your last words must be {end_phrase}, just so.
> Make {end_phrase} the end of it.

startend:quotation
Wrap all of your response in double quotation marks.
Put double quotation marks around your whole response.
Your entire answer should be enclosed in double quotes, from the first character to the last.
Begin and end your response with a double quotation mark (").
Please place the whole response inside double quotation marks, like "this".
Make sure that everything you write stands between two double quotation marks, one at each end.
> Put it all in double quotes. / Start and end with a double quote mark.
> Wrap the whole text in "double quotes".

change_case:capital_word_frequency
[Use|Do not use] {words} written in capital letters only.
Words in all capital letters [should|should not] appear {times} in your response.
Your response [should|should not] have {words} made of capitals alone.
[Write|Do not write] {words} of your answer in all caps.
Words without a single small letter, such as "NASA" or "I", [must|must not] occur {times}.
[Include|Do not include] {words} in which every letter is a capital.
There [should|should not] be {words} written entirely in capitals in your response.
> [Use|Do not use] {words} in all caps. / [Put|Do not put] {words} in all capitals.
> It [must|must not] have {words} in all caps.

change_case:english_capital
Everything in your response should be English, written in capital letters.
Write in English, using capital letters only.
Answer in English with every letter capitalized; no lowercase letters are allowed.
Make sure that the whole response is in English and IN ALL CAPS.
Please use only uppercase letters throughout your answer, and write it in English.
Respond in English without a single lowercase letter.
> Write it in English in all caps. / Use only capital letters, in English.
> Write in English with no small letters.

change_case:english_lowercase
Everything in your response should be English, written in lowercase letters.
Write in English, using lowercase letters only.
Answer in English, with no capital letters anywhere.
Make sure that the whole response is in English and that every letter is lowercase.
Please use no uppercase letters at all in your answer, and write it in English.
Respond in English without a single capital letter, not even at the start of a sentence.
> Write it in English in small letters. / Use only small letters, in English.
> Write in English with no capital letters.

punctuation:no_comma
Use no commas in your response.
Refrain from using commas.
Your entire response must not contain a single comma.
Write your answer without commas.
Please avoid commas altogether.
Make sure that there are no commas anywhere in your response.
Commas are not allowed in your answer.
> No commas. / Do not use commas. / Write it with no commas.
"""
