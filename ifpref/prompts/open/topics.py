"""The topics of the `open` domain: what a text can be about, and the words that go with it.

A topic is a noun phrase that stands after `about` ("a folding bicycle", "keeping bees on a roof") and has a
kind, which says what tasks it suits: a product can have a manual, a person a job advertisement. Its words
are single lower-case nouns that read well after `the`, singular for the most part. The table is data and is
meant to be read and edited: one topic a line, `text | word word word`, under a heading with its kind. Ids
are made from the texts.

    Topic(id="a-folding-bicycle", text="a folding bicycle", words=("wheel", "frame", ...), kind="product")
"""

from __future__ import annotations

from dataclasses import dataclass

from ifpref.prompts.domain import Topic

KINDS = {
    "product": "a kind of thing that one can buy",
    "object": "one particular thing with a story",
    "activity": "something to do or to learn; a gerund",
    "place": "a place that one can visit",
    "person": "somebody by their work",
    "event": "an occasion that somebody organises",
    "moment": "something that happens",
    "science": "something in nature or technology that can be explained",
    "history": "something from the past",
    "idea": "something to have an opinion on",
}


@dataclass(frozen=True)
class OpenTopic(Topic):
    """A topic with its kind, one of `KINDS`."""

    kind: str = "idea"


_TABLE = """
[product]
a folding bicycle | wheel frame commute gear hinge pedal brake
a solar lantern | light battery tent evening sun porch
a cast iron frying pan | handle heat iron kitchen stove oil
a mechanical keyboard | key switch desk sound wrist office
a waterproof notebook | page rain pencil cover trail ink
a manual coffee grinder | bean aroma handle morning blade cup
an electric kettle | water steam tea switch lid spout
a pair of hiking boots | sole lace trail mud ankle leather
a wooden chess set | pawn queen board knight strategy square
a set of wireless headphones | sound music battery silence cushion commute
a weighted blanket | sleep warmth bed fabric comfort night
a pocket telescope | lens moon star horizon focus tripod
a robot vacuum cleaner | dust floor carpet sensor battery corner
a standing desk | posture height office screen motor leg
a reusable water bottle | lid water plastic thirst steel bag
a sewing kit for beginners | needle thread button fabric stitch thimble
a board game for large families | dice player rule card laughter table
an indoor herb garden | basil mint soil window light leaf
a smart doorbell | camera visitor porch button alarm phone
a backpack with hidden pockets | zip strap passport airport shoulder luggage
a microscope for children | lens slide cell light discovery insect
a rechargeable bicycle lamp | battery night road cable brightness rider
a set of watercolour paints | brush pigment paper palette water colour
an ergonomic office chair | back cushion posture wheel armrest desk
a portable camping stove | flame fuel tent meal wind pot
a ceramic teapot | spout tea leaf clay lid guest
a language learning app | lesson word phone accent memory vocabulary
a budgeting app for students | money rent bill phone allowance spending
a subscription box of rare teas | parcel leaf flavour cup tin month
a plant pot that waters itself | root soil leaf reservoir holiday gardener
a sweater knitted by hand | wool sleeve yarn winter pattern collar
an electric cargo bike | battery basket child hill street errand
a fountain pen | ink nib paper letter signature hand
a beeswax candle | flame wax wick scent evening honey
a stainless steel lunch box | lid sandwich school apple compartment lunch
a weather station for the garden | wind rain sensor forecast temperature barometer
a compact film camera | film shutter lens negative photograph light
a hammock for two | rope tree shade nap garden breeze
a bread machine | flour yeast loaf crust kitchen timer
a skateboard for beginners | wheel deck balance ramp pavement helmet
a packable rain jacket | hood zip rain pocket storm fabric
a home composting bin | peel worm soil garden smell lid
a digital piano | key pedal melody volume practice song
a handmade leather wallet | coin card pocket stitch money leather
a jigsaw puzzle of a thousand pieces | piece corner picture box table patience
a smart thermostat | heat temperature wall winter bill sensor
a garden trampoline | jump spring net child bounce frame
a kitchen radio | station music dial voice news song
a first aid kit for hikers | bandage wound trail plaster emergency rescue
a set of kitchen knives | blade handle chef onion steel board
a pair of reading glasses | lens eye page frame book nose
an inflatable kayak | paddle river pump lake current seat
a climbing tree for cats | cat claw perch nap rope carpet
a dog harness | leash walk collar park buckle tail
a fitness tracker | step pulse wrist sleep goal battery
a bamboo toothbrush | tooth bristle bathroom plastic handle smile
an adjustable desk lamp | bulb light desk shade evening switch
a rooftop tent | ladder car camp mattress view zip
a virtual reality headset | game screen motion world sensor lens
a small electric car | battery charger road engine city parking

[object]
a suitcase left at a railway station | platform lock train owner label clerk
a love letter found in an attic | envelope ink dust promise stamp trunk
a grandfather clock that has stopped | pendulum hour hall silence spring key
a broken violin | string bow wood melody repair case
a map with one corner torn off | paper treasure compass border coast ink
an old wooden sled | snow hill rope winter runner child
a key that fits no door | lock pocket ring house secret metal
a photograph of strangers | face frame smile album wall hat
a teddy bear with one eye | button toy bed childhood patch fur
a rusty garden gate | hinge path ivy latch garden paint
a message in a bottle | sea shore cork paper wave sailor
a typewriter with a missing letter | ribbon key page ink novel word
a coat from a second hand shop | button pocket sleeve winter ticket lining
a piano nobody plays | key dust lid song parlour tune
a lighthouse lamp from another century | lens storm ship tower glass coast
a rowing boat in a barn | oar hull hay rope lake plank
a recipe book with stained pages | flour butter kitchen sauce margin grandmother
a music box with a cracked lid | melody dancer spring tune velvet lid
a telescope in a shop window | lens star price glass moon owner
a wedding ring lost in a field | gold grass tractor finger soil promise
a painted mask from a carnival | feather paint ribbon face dance crowd
a compass that points the wrong way | needle north forest path pocket brass
a library book returned decades late | fine page shelf librarian stamp date
a patchwork quilt | fabric needle pattern bed thread square
a bicycle chained to a bridge | chain river wheel lock rust owner
a chipped blue teacup | saucer handle glaze tea cupboard crack
a carved wooden bird | wing knife shelf feather wood gift
a lamp post at the end of a lane | light fog bulb moth lane night
a snow globe from a distant city | glass snow tower shelf shake souvenir
a scarecrow in a cabbage field | straw hat crow coat farmer field
a diary with blank pages | pen page secret year ribbon drawer
a bronze bell from a ruined chapel | ring tower echo bronze stone rope
an umbrella forgotten on a bus | rain driver handle seat puddle owner
a trophy nobody remembers winning | shelf medal name race silver dust
a pocket watch with an engraving | chain hour initial gold father tick
a marble statue without a nose | stone museum sculptor face garden pigeon
a jar of buttons | glass coat thread colour shelf sewing
a kite stuck in a tree | string wind branch tail sky child
a toy train in the basement | track engine whistle tunnel signal smoke
a doorstep worn smooth by feet | stone house shoe step visitor century
a chess piece carved from bone | king board game bone table player
a ship in a glass bottle | mast sail glass captain cork shelf
a cracked mirror in a hotel | glass room guest frame reflection lobby

[activity]
learning to play the cello | bow string teacher note practice patience
keeping bees on a roof | hive honey queen smoke swarm flower
baking sourdough bread | flour crust starter oven loaf yeast
repairing old clocks | spring gear hand tick tool workshop
growing tomatoes on a balcony | pot sun seed vine soil sauce
swimming in cold water | lake shiver breath towel current winter
knitting a first scarf | needle yarn stitch wool colour row
watching birds at dawn | feather binocular song nest branch wing
training for a first marathon | runner mile shoe finish pace knee
learning sign language | hand gesture finger conversation teacher alphabet
restoring a wooden boat | plank varnish hull hammer harbour brush
walking to work every day | pavement shoe weather corner office street
cooking dinner for ten guests | table pot menu spice plate kitchen
writing a novel in the evenings | chapter character plot desk page ending
teaching a dog to fetch | ball stick treat park tail command
playing chess in the park | pawn bench board clock opponent move
making pottery on a wheel | clay bowl kiln glaze hand shape
drawing portraits from life | pencil face line shadow eraser model
climbing an indoor wall | rope grip harness knot chalk height
fixing a leaking tap | wrench washer pipe bucket plumber drip
collecting stamps from small countries | album envelope island postmark hinge trader
sailing a small dinghy | sail wind rope rudder wave harbour
juggling with five balls | ball rhythm hand gravity circus drop
hosting an exchange student | guest room language family culture dinner
volunteering at an animal shelter | dog cat cage adoption leash kennel
photographing the night sky | star camera tripod moon exposure darkness
learning to drive late in life | clutch road mirror instructor brake licence
singing in a choir | voice harmony conductor song breath rehearsal
brewing coffee by hand | filter bean cup water aroma grinder
planting a hedge | root spade row thorn garden leaf
moving to another country | passport visa language suitcase border home
studying for an important exam | book note memory desk pencil question
saving money on a small income | budget rent coin bank bill salary
cycling across a continent | tyre road tent border map hill
working from home | desk screen kitchen meeting schedule laptop
folding paper cranes | paper crease wing square finger thread
riding a horse for the first time | saddle rein stable hoof mane trot
dancing the tango | partner step music floor rhythm shoe
foraging for mushrooms | basket forest cap spore knife moss
learning to code in middle age | screen loop error keyboard program logic
making cheese at home | milk rind curd salt cellar mould
caring for an elderly parent | doctor pill visit chair memory phone
organising a messy garage | shelf box tool label broom ladder
meditating in a noisy house | breath cushion silence mind door child
building a model railway | track engine signal bridge tunnel station
refereeing children at football | whistle goal ball card pitch rule
making candles as a gift | wax wick scent mould flame ribbon
learning to skate at forty | ice blade rink balance knee fall
sewing a costume for a play | fabric needle stage hem ribbon actor
reading aloud to children | book voice page picture bedtime pillow
negotiating a pay rise | salary boss meeting number office confidence
camping in the rain | tent peg mud boot fire puddle
translating poems | language rhyme meaning dictionary verse poet
painting a kitchen yellow | brush wall roller ladder colour tin
practising a speech in the mirror | mirror voice gesture audience pause word
preserving fruit for the winter | jar sugar plum lid cellar label
surfing at sunrise | board wave foam beach tide wetsuit
learning the names of trees | leaf bark oak twig forest acorn
hitchhiking through the mountains | thumb driver road truck valley backpack
giving up sugar for a month | cake craving tea label habit dessert
starting a neighbourhood compost heap | peel worm soil bin fork garden
making friends in a new city | cafe neighbour party street invitation stranger
playing the drums in a flat | rhythm neighbour stick cymbal beat noise
ironing a shirt properly | steam collar sleeve iron crease board
throwing a surprise party | cake balloon guest secret candle friend
learning to say no | boundary guilt request voice promise calendar
tracing a family tree | ancestor archive name grandmother branch letter
fishing on a quiet lake | hook line boat worm trout patience
cleaning a beach after a storm | plastic net sand bottle glove wave
keeping a dream journal | pillow pen sleep symbol morning page
wrapping awkward presents | paper tape ribbon corner box bow
arguing without shouting | voice anger listener pause reason temper
crossing a desert by camel | sand water camel sun tent dune
building a treehouse | plank nail ladder branch rope roof
learning to whistle | lip tune breath tongue note finger
grafting an apple tree | branch knife bark fruit orchard wax

[place]
a village bakery | bread oven flour queue counter dough
a lighthouse on a rocky coast | lamp wave keeper cliff storm stair
a market in the old town | stall spice cheese price crowd basket
a botanical garden in winter | greenhouse orchid path bench frost palm
a railway station at midnight | platform train clock ticket bench suitcase
an island without cars | ferry bicycle beach harbour donkey lane
a mountain hut | stove blanket trail soup peak lantern
a public library | shelf book card librarian silence desk
a harbour at low tide | boat rope mud gull anchor net
a theatre with only forty seats | curtain stage ticket actor velvet light
a desert town with one street | dust saloon sun porch truck well
a museum of musical instruments | drum violin case bell visitor guide
a rooftop restaurant | menu view waiter candle wine skyline
a bookshop beside a canal | shelf novel boat window cat bridge
a school in the mountains | teacher bell snow desk map pupil
a community swimming pool | water lane towel locker whistle diver
a castle with a leaking roof | tower moat stone bucket ghost banner
a village square in summer | fountain bench tree pigeon ice shade
a cave with ancient paintings | torch wall bison pigment shadow guide
an allotment garden | shed spade bean fence tomato neighbour
a night market by the river | lantern noodle stall boat smoke music
a hospital waiting room | chair nurse clock magazine door ticket
a fishing village | net boat harbour salt fish gull
a national park with hot springs | steam bear trail ranger geyser pine
a vineyard on a steep hill | grape vine barrel cellar harvest slope
a retro games arcade | coin screen joystick score light noise
a laundrette on a Sunday | machine soap coin sock basket drum
a tea house in the forest | kettle moss cup mat stream silence
a cemetery full of poets | grave stone ivy verse bench crow
a ferry between two islands | deck wave horn gull rail captain
a space museum | rocket astronaut moon suit capsule engine
an ice hotel | bed snow candle sculpture coat glass
a river delta full of birds | reed heron mud boat nest tide
a windmill that still works | sail grain flour stone breeze miller
a working farm open to visitors | tractor cow barn hay egg pig
a city park in autumn | leaf bench pond duck chestnut path
an underground concert hall | stage echo bass crowd stair ticket
a coral reef | fish diver shell colour wave turtle
a small airport | runway pilot passport gate luggage tower
a monastery with a famous garden | monk herb prayer wall rose bell
a ghost town in the hills | door dust mine sign road wind
a street of glassblowers | furnace glass pipe vase heat apprentice
a community kitchen | soup ladle apron volunteer pot table
a planetarium | star dome seat planet comet projector
a rainforest walkway | bridge canopy monkey rope orchid rain
an old observatory | telescope dome star astronomer night stair
a chocolate factory | cocoa mould sugar machine scent wrapper
a flea market under a bridge | stall lamp bargain coin vinyl chair
a stadium on match day | crowd goal flag whistle ticket scarf
a cafe run by retired sailors | anchor coffee story rope mug tattoo
a repair workshop for bicycles | wheel chain tool oil spoke stand
a frozen lake | ice skate sled fish crack snow
a youth hostel beside the sea | bunk kitchen wave backpack key towel
a walled city on a hill | gate tower street bell stone view
an open air cinema | screen blanket film star popcorn projector

[person]
a lighthouse keeper | lamp storm tower logbook ship fog
a village doctor | patient bag pulse house medicine night
a night shift baker | dough oven flour bread dawn apron
a tour guide in a small museum | visitor painting story ticket gallery umbrella
a beekeeper | hive honey veil smoke swarm queen
a train driver | signal engine track station whistle speed
a school librarian | book shelf pupil silence stamp reading
a stage magician | trick card hat rabbit curtain audience
a mountain rescue volunteer | rope snow helicopter stretcher whistle cliff
a piano tuner | string key fork hammer tone parlour
a wildlife photographer | camera fox lens patience tripod dawn
a street musician | guitar coin corner song hat crowd
a translator of novels | language sentence dictionary author meaning draft
a zoo veterinarian | lion needle cage tooth vaccine penguin
a primary school teacher | chalk pupil lesson desk bell story
a furniture carpenter | wood chisel plane nail bench sawdust
a chef in a railway restaurant | menu sauce knife passenger kitchen recipe
a river ferry captain | rope deck current wheel passenger bank
a postal worker on a remote island | letter parcel ferry stamp path bicycle
an air traffic controller | radar runway pilot tower screen voice
a puppet maker | string wood puppet paint stage costume
a forest ranger | tree trail fire cabin map deer
a nurse on a night ward | patient pulse lamp corridor bed chart
an apprentice glassblower | furnace glass pipe heat vase breath
a bicycle courier | parcel street wheel traffic bag helmet
a museum night guard | torch statue corridor alarm key silence
a clockmaker | gear spring hour tool pendulum glass
a video game designer | level player screen pixel character bug
an opera singer | voice stage aria costume breath orchestra
a shepherd in the highlands | sheep dog wool hill fence storm
a city gardener | rose hose soil spade hedge bench
a marine biologist | whale coral sample boat tide notebook
a wedding photographer | bride camera smile dance album light
a coach of a youth football team | goal whistle ball training bench parent
a cartoonist for a local newspaper | pencil joke politician ink deadline panel
an astronaut | rocket capsule orbit helmet planet training
a hotel receptionist | key guest lobby bell suitcase smile
a barber in a small town | mirror comb razor customer chair beard
a cheese maker | milk rind cellar salt mould goat
a firefighter | hose ladder smoke siren helmet flame
a judge at baking contests | cake crumb fork ribbon recipe icing
a software engineer | code bug keyboard screen meeting release
an organic farmer | soil tractor carrot season seed weather
a crossword writer | clue grid letter puzzle pencil dictionary
an archaeologist in the desert | sand bone brush pottery tent tomb
a tailor | needle thread suit sleeve fabric button
a news reader | script camera studio voice headline desk
a wind turbine technician | blade tower rope engine height wind
a language teacher for adults | grammar accent class notebook verb board
a circus acrobat | trapeze rope net balance costume tent
a bus driver | passenger route ticket seat street door
a perfume maker | scent bottle rose nose oil memory

[event]
a school talent show | stage song microphone curtain audience prize
a village wedding | bride cake dance ring flower toast
a summer music festival | stage crowd tent guitar mud ticket
a charity bake sale | cake cookie table coin apron recipe
a family reunion | grandmother cousin photograph table story laughter
a neighbourhood street party | table music lantern neighbour food bunting
a science fair | volcano poster judge experiment magnet prize
an office farewell party | cake card speech colleague gift desk
a town marathon | runner medal water street finish crowd
a book club meeting | novel chapter tea opinion sofa author
an open day at a fire station | hose engine ladder helmet siren child
a film night in the garden | screen blanket popcorn projector star wall
a birthday party for a centenarian | candle cake memory family photograph song
a regional chess tournament | clock pawn board trophy silence opponent
a repair day for broken appliances | toaster screwdriver cable tool volunteer lamp
a harvest festival | pumpkin grain field wagon bread barn
a poetry evening in a cafe | verse microphone candle poet applause coffee
a hackathon for students | code team laptop pizza idea prize
a costume parade | mask drum feather street banner crowd
a blood donation day | nurse needle arm queue bandage juice
a class trip to the seaside | bus sand shell teacher wave sandwich
a charity football match | goal ball referee crowd team jersey
a tree planting day | spade seedling soil glove park root
a housewarming party | key guest kitchen plant sofa wine
an exhibition of student paintings | canvas colour gallery frame visitor brush
a winter solstice bonfire | fire spark night coat drum ember
a job fair | booth resume handshake employer suit career
a workshop on bicycle repair | chain wheel tool spoke oil tyre
a debate between two schools | argument podium judge timer team question
an astronomy night | telescope moon star blanket planet hill
a cooking contest for teenagers | recipe chef spoon judge plate spice
a graduation ceremony | gown hat diploma speech stage parent
a cheese tasting | rind knife goat cracker cellar label
a charity auction | hammer bid painting vase paddle donor
a company picnic | blanket sandwich park ball colleague lemonade
a boat race on the river | oar crew finish bank flag current
a jazz concert in a barn | saxophone hay drum trumpet rhythm lantern
a lantern walk for children | candle paper song street night star
a memorial for a beloved teacher | candle photograph chair song flower story
a language exchange evening | accent table word coffee partner dictionary
a dog show | leash judge ribbon tail breed brush
a flower show | rose petal vase judge tulip ribbon
a pancake breakfast for volunteers | syrup butter pan batter plate coffee
a town hall meeting about traffic | mayor road map microphone question crossing
a silent retreat | cushion bell breath garden silence meal
a weekend market for craftspeople | stall pottery basket jewellery crowd leather

[moment]
the first snow of the year | snow window sled silence flake glove
a missed train | platform ticket clock bench delay suitcase
a power cut on a winter evening | candle darkness torch blanket street story
an unexpected visit from an old friend | door tea laughter chair memory suitcase
a storm that knocked down the fence | wind fence branch roof nail neighbour
a wrong number that turned into a friendship | phone voice stranger number story laughter
the last day of the holidays | suitcase beach sunset clock school farewell
a lost dog that found its way home | collar tail street bowl door poster
a cake that collapsed at the party | icing candle crumb guest plate oven
a total eclipse of the sun | shadow moon crowd darkness glass bird
a long wait at the border | passport queue officer car sun stamp
a chance meeting on a ferry | deck gull coffee stranger wave rail
the first day at a new job | desk badge colleague elevator nerve lunch
an argument about the last biscuit | tin crumb sister tea plate truce
a night spent in an airport | bench gate coffee blanket screen flight
a letter delivered thirty years late | stamp envelope postman ink address apology
a flat tyre on a mountain road | wheel jack cliff sheep wrench driver
a perfect summer afternoon | sun garden lemonade grass shade bee
the discovery of a hidden room | wall key dust lantern door trunk
a goodbye at a bus stop | rain bench ticket window hand umbrella
an escaped parrot | cage feather branch seed neighbour voice
a school play that went wrong | curtain script costume stage applause prompter
a flood in the cellar | water bucket pump stair box boot
the arrival of a baby sister | cradle blanket bottle name toy lullaby
a concert interrupted by rain | stage umbrella guitar cable crowd thunder
a rooster that crows at midnight | neighbour pillow feather fence window farm
the moment before a penalty kick | ball goal keeper crowd whistle silence
a traffic jam that became a party | road car music horn driver picnic
a dream about flying | wing roof cloud pillow city wind
a mistake that made a recipe better | salt oven sauce spoon taste cook
an evening without any screens | candle book card game table conversation
a heat wave in the city | fan ice sun fountain shade pavement
the end of a long friendship | silence letter phone memory photograph street
a shooting star over the desert | sky wish sand fire night tent
a standing ovation | applause stage tear curtain seat bow
a stranger who paid for coffee | cup counter queue coin smile barista
the return of the storks | nest chimney wing village spring beak
a tie in the final match | goal whistle referee trophy team crowd
a ladder left against the wrong house | window roof neighbour paint mistake laughter
an overheard conversation on a tram | seat voice window ticket secret stop
the closing of the last cinema in town | screen ticket seat projector poster owner
a snowball fight between teachers and pupils | snow glove playground bell laughter wall

[science]
the water cycle | cloud rain river vapour ocean heat
the workings of a refrigerator | coil gas heat compressor door cold
the migration of geese | wing flock lake season navigation sky
the life of a honeybee | hive pollen queen wing flower nectar
the phases of the moon | shadow crescent orbit sun night calendar
the way bats find their way in the dark | echo wing cave ear insect sound
the formation of a rainbow | light droplet colour angle sun prism
the chemistry of baking bread | yeast gluten gas starch oven dough
the causes of tides | moon gravity ocean shore sun wave
the growth of coral reefs | polyp fish algae limestone temperature colony
the structure of the human ear | drum bone nerve sound canal balance
the physics of a bicycle | wheel balance gear force friction rider
the reasons why leaves change colour | pigment autumn sugar tree light frost
the hunting habits of owls | feather ear mouse night wing silence
the birth of stars | gas dust gravity nebula galaxy heat
the lives of deep sea creatures | pressure darkness tentacle ocean light jaw
the way vaccines work | antibody virus cell doctor immunity needle
the hidden life of fungi | spore root soil forest mushroom network
the journey of an email | server packet network cable screen router
the inner workings of a piano | hammer string key pedal felt sound
the behaviour of ants | colony queen trail leaf tunnel antenna
the science of sleep | brain dream rhythm night pillow hormone
the flight of a paper plane | wing lift fold drag air nose
the power of wind turbines | blade tower generator grid breeze energy
the colours of a sunset | light dust horizon cloud atmosphere scattering
the secret language of whales | song ocean sound calf pod distance
the eruption of volcanoes | lava ash magma crater gas pressure
the memory of elephants | herd trunk matriarch water brain path
the making of glass | sand furnace heat bubble pipe window
the movement of glaciers | ice valley rock snow crack climate
the way touch screens work | finger glass current sensor layer signal
the sense of smell | nose nerve perfume memory molecule brain
the metamorphosis of butterflies | caterpillar cocoon wing leaf egg nectar
the strength of spider silk | web thread protein fly gland tension
the workings of a steam engine | boiler piston valve coal wheel pressure
the spread of seeds by animals | fruit bird fur forest berry soil
the formation of caves | limestone water acid stalactite drip bat
the search for distant planets | star telescope orbit shadow signal atmosphere
the working of a suspension bridge | cable tower deck tension load anchor
the recycling of paper | fibre pulp ink bin machine water
the human heartbeat | pulse valve blood rhythm muscle chest
the camouflage of octopuses | skin colour arm rock predator pigment
the science of snowflakes | crystal ice symmetry cloud temperature branch
the food web of a pond | frog algae insect fish reed heron
the effect of music on the brain | rhythm memory melody emotion nerve ear
the noise of thunder | lightning air storm echo cloud heat
the spin of a gyroscope | wheel axis balance force motion frame
the digestion of a meal | stomach acid enzyme mouth energy blood
the navigation of sea turtles | beach magnet ocean egg shell current
the smell of rain on dry soil | drop bacteria oil ground air storm
the workings of a search engine | index query page crawler link ranking
the hibernation of bears | den fat winter heartbeat sleep snow
the resilience of desert plants | cactus root spine water leaf drought
the invention and use of batteries | electron metal charge acid current cell
the training of neural networks | layer data weight error pattern example

[history]
the invention of the printing press | book letter ink paper printer workshop
the building of the first railways | track steam tunnel worker iron station
the silk road | camel merchant silk desert city spice
the discovery of penicillin | mould bacteria laboratory doctor dish infection
the first flight across the ocean | pilot engine fuel cloud wing storm
the early days of the bicycle | wheel pedal tyre rider road saddle
the golden age of radio | voice studio song family wave microphone
the arrival of tea in Europe | leaf ship cup trade ceremony garden
the construction of medieval cathedrals | stone mason tower glass arch scaffold
the travels of early mapmakers | ship compass coast ink island explorer
the spread of chess along the trade routes | pawn king board court elephant war
the first public libraries | book reader shelf card door city
the great age of letter writing | pen stamp envelope ink post reply
the fall of a great empire | army tax border emperor wall city
the voyage of the first steamships | boiler ocean captain smoke port deck
the arrival of chocolate at a royal court | cocoa bean sugar temple trade drink
the great age of lighthouses | lamp lens storm keeper ship tower
the first photographs | plate light silver camera portrait shadow
the building of the pyramids | stone ramp worker desert tomb river
the rise of the penny newspaper | press headline editor street ink reader
the arrival of the sewing machine | needle thread factory seam wheel patent
the early days of the telephone | wire voice operator bell exchange distance
the first umbrellas in the streets of a city | rain sun silk handle street fashion
the first women at university | lecture degree gown professor library protest
the plague years in a trading city | rat ship doctor quarantine fear bell
the invention of the wheel | cart axle road clay wood trade
the bread riots of a hungry city | grain oven mill baker flour famine
the space race | rocket moon astronaut orbit satellite rival
the first animated films | drawing frame screen studio mouse laughter
the invention of the alphabet | letter symbol scribe sound clay trade
the life of a medieval apprentice | master tool guild bread workshop contract
the discovery of an ancient shipwreck | diver anchor coin amphora sand hull
the age of sailing ships | mast sail storm captain rope cargo
the opening of the first public parks | bench tree fountain gate lawn city
the birth of jazz | trumpet rhythm club drum piano street
the great fire of an old city | flame roof wind bucket street ash
the invention of spectacles | lens monk eye frame glass page
the first computers | switch tube card machine engineer program
the early days of football | ball goal rule club field crowd
the invention of blue jeans | denim rivet miner pocket factory dye
the strikes of the first factory workers | machine wage loom whistle crowd banner
the perfume makers of the ancient world | scent rose oil bottle temple merchant
the migration of a whole village | wagon road harvest border church memory
the making of the first clocks | clock sundial hour pendulum shadow candle
the first schools for the deaf | sign hand teacher pupil language law

[idea]
the value of patience | waiting time habit calm reward garden
honesty between friends | truth trust secret courage promise apology
small acts of kindness | stranger smile gift door thanks neighbour
the future of public libraries | book reader screen city building budget
the pleasure of walking without a goal | street shoe corner thought park wandering
life without a mobile phone | screen silence map letter meeting habit
a ban on cars in the city centre | street bicycle bus shop air mayor
a working week of four days | office rest salary meeting holiday boss
the importance of sleep | pillow dream night brain energy alarm
the joy of learning slowly | lesson mistake progress teacher curiosity pace
homework in primary school | pupil teacher evening desk parent pencil
the courage to ask for help | pride voice friend question burden shoulder
art in public spaces | mural statue wall artist street colour
the meaning of home | door kitchen roof family memory street
friendship across generations | grandmother child story age tea wisdom
the right to be forgotten online | photograph search privacy law name past
life on another planet | alien water star rocket telescope signal
the beauty of imperfection | crack scar bowl repair flaw beauty
boredom as a gift | window idea afternoon silence child imagination
free public transport | bus ticket train tax traffic city
the ethics of zoos | animal cage visitor rescue habitat breeding
the power of a good question | answer teacher doubt curiosity silence mind
the role of luck in success | chance talent effort dice fame opportunity
the survival of small languages | word speaker elder song dictionary village
the difference between price and value | money shop quality bargain label worth
uniforms at school | shirt pupil rule fashion badge equality
eating less meat | bean plate taste climate farm vegetable
gratitude in hard times | candle meal comfort thanks sorrow hope
the courage to speak in public | stage voice audience breath microphone speech
the magic of ordinary days | breakfast window bus laundry light routine
robots in hospitals | nurse machine patient error surgeon trust
the limits of artificial intelligence | machine data judgement error language human
the habit of saving letters | drawer ink box ribbon memory envelope
a world without money | trade gift bread promise market debt
the comfort of rituals | candle tea bell morning prayer family
the art of listening | ear pause silence friend question attention
the wisdom of trees | root ring shade forest bark season
competition and cooperation | team rival game rule victory trust
equal pay for everybody | wage tax house school wealth street
the freedom of travelling alone | map train cafe backpack silence choice
pets at the workplace | dog desk meeting leash office allergy
the duty to vote | ballot citizen paper booth voice law
nostalgia for childhood | toy summer garden song smell grandmother
the pursuit of perfection | flaw deadline pressure mistake standard doubt
a school without grades | pupil teacher report motivation mark feedback
the influence of advertising | brand poster child screen desire slogan
humour as medicine | laughter joke doctor pain smile clown
the simple life | garden bread cabin silence shelf candle
repairing things instead of buying new ones | tool glue screw shop waste habit
respect for the night sky | star lamp darkness moth city telescope
the secret of a long marriage | ring quarrel kitchen patience promise laughter
teaching children about money | coin allowance shop piggybank choice bank
quiet hours in a noisy world | traffic siren phone silence ear engine
hope after failure | attempt lesson ladder tear comeback courage
the balance between work and rest | weekend desk sofa energy meeting boundary
the ownership of data | privacy company contract password law user
"""


def _parse(table: str) -> tuple[OpenTopic, ...]:
    """The topics of a table of `[kind]` headings and `text | words` lines, in its order."""
    topics, kind = [], ""
    for line in filter(None, table.splitlines()):
        if line.startswith("["):
            kind = line.strip("[]")
            continue
        text, words = line.split(" | ")
        topics.append(OpenTopic(text.lower().replace(" ", "-"), text, tuple(words.split()), kind))
    return tuple(topics)


TOPICS = _parse(_TABLE)
