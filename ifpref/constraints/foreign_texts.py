"""Sentences in seventeen languages: the table that `foreign.py` reads.

They are the same simple, general statements everywhere, so that they can follow any request. A language has
`links` (how two statements become one sentence; `{second}` begins in lower case where the script has it),
complete `sentences`, sentences `about` a quoted word, and `phrases`; entries are divided by `|` or a line
break. In each language a sentence ends in `.`, `!` or `?`, also where another mark is customary (Hindi),
because these are what the constraints count. No hyphens, digits or quotation marks; no sentence begins with
a word of one letter, which would be a word in capitals.
"""

TABLE = """
[de]
links
{first} und {second} | {first}, und {second} | {first}, doch {second}
sentences
Dieses Thema ist sehr spannend. | Viele Menschen sprechen jeden Tag darüber.
Wir lernen jeden Tag etwas Neues. | Dafür braucht man Zeit und Geduld.
Die Kinder stellen oft gute Fragen. | Meine Großmutter hat uns eine alte Geschichte erzählt.
Am Morgen ist die Stadt noch still. | Am Abend sitzt die ganze Familie am Tisch.
Das Wetter war gestern wunderschön. | Unsere Nachbarn helfen einander gern.
Der kleine Garten hinter dem Haus ist voller Blumen. | Der Markt öffnet früh und schließt spät.
Die Lehrerin erklärt alles sehr deutlich. | Man braucht eine gute Idee und ein wenig Mut.
Der erste Schritt ist oft der schwerste. | Aus jedem Fehler kann man etwas lernen.
Gute Freunde sind wichtiger als Geld. | Das Fenster ist offen, und der Wind ist warm.
Das Brot duftet heute herrlich. | Die alte Brücke führt über den Fluss. | Der Zug kommt pünktlich an.
Heute haben wir viel Zeit. | Niemand kennt die Antwort. | Die Arbeit ist fast fertig.
Die Musik war leise und schön. | Warum ist das so wichtig? | Was können wir daraus lernen?
Wer kennt die Antwort? | Was für ein schöner Tag! | Das ist wirklich eine Überraschung!
Am Ende ging alles gut. | Ein gutes Buch macht den Abend kurz. | Ein Versuch lohnt sich immer.
Später gingen sie zusammen nach Hause. | Wenn es regnet, bleiben alle lieber zu Hause.
about
Das Wort {about} ist hier wichtig. | Viele kennen das Wort {about}. | Was bedeutet {about} eigentlich?
Wir denken dabei sofort an {about}. | Niemand hatte {about} erwartet.
Ohne {about} wäre die Geschichte nicht dieselbe. | Gestern sprachen alle über {about}.
Auch {about} gehört dazu.
phrases
eine gute Idee | der erste Schritt | das alte Haus | ein neuer Anfang | Zeit und Geduld
der kleine Garten | ein ruhiger Abend | die richtige Frage | gute Freunde | die ganze Wahrheit
frisches Brot | eine letzte Gelegenheit | schöne Musik | eine große Überraschung

[fr]
links
{first} et {second} | {first}, et {second} | {first}, mais {second}
sentences
Ce sujet est très intéressant. | Beaucoup de gens en parlent chaque jour.
Nous apprenons chaque jour quelque chose de nouveau. | Il faut du temps et de la patience.
Les enfants posent souvent de bonnes questions. | Notre voisin nous a raconté une vieille histoire.
Le matin, la ville est encore calme. | Le soir toute la famille se réunit à table.
Hier le temps était magnifique. | Nos voisins aiment aider les autres.
Le petit jardin derrière la maison est plein de fleurs. | Le marché ouvre tôt et ferme tard.
La maîtresse explique tout très clairement. | Il suffit d'une bonne idée et d'un peu de courage.
Le premier pas est souvent le plus difficile. | Chaque erreur nous apprend quelque chose.
Les amis comptent plus que l'argent. | La fenêtre est ouverte et le vent est doux.
Le pain sent très bon ce matin. | Le vieux pont traverse la rivière. | Le train arrive à temps.
Nous avons tout notre temps. | Personne ne connaît la réponse. | Le travail est presque terminé.
La musique était douce et belle. | Pourquoi attendre plus longtemps? | Comment expliquer cela aux enfants?
Qui connaît la réponse? | Quelle belle journée! | Quelle surprise pour tout le monde!
Finalement, tout le monde était content. | Un bon livre fait passer le temps plus vite.
Cela vaut la peine de commencer. | Plus tard, ils sont rentrés ensemble à la maison.
Tout le monde était d'accord.
about
Le mot {about} est important ici. | Tout le monde connaît {about}. | Que signifie {about} au juste?
Personne ne pensait à {about}. | On pense tout de suite à {about}.
Sans {about}, cette histoire serait différente. | Hier tout le monde parlait de {about}.
Nous parlons aussi de {about}.
phrases
une bonne idée | le premier pas | la vieille maison | un nouveau départ | du temps et de la patience
le petit jardin | une soirée tranquille | la bonne question | de vrais amis | toute la vérité
du pain frais | une dernière chance | une belle musique | une grande surprise

[es]
links
{first} y {second} | {first}, y {second} | {first}, pero {second}
sentences
Este tema es muy interesante. | Mucha gente habla de ello todos los días.
Cada día aprendemos algo nuevo. | Se necesita tiempo y paciencia.
Los niños suelen hacer buenas preguntas. | Mi abuela nos contó una vieja historia.
Por la mañana la ciudad todavía está tranquila. | Por la noche toda la familia se sienta a la mesa.
Ayer hizo un tiempo precioso. | Nuestros vecinos se ayudan unos a otros.
El pequeño jardín detrás de la casa está lleno de flores. | El mercado abre temprano y cierra tarde.
La maestra lo explica todo con mucha claridad. | Hace falta una buena idea y un poco de valor.
El primer paso suele ser el más difícil. | De cada error se aprende algo.
Los amigos valen más que el dinero. | La ventana está abierta y el viento es cálido.
Hoy el pan huele de maravilla. | El viejo puente cruza el río. | El tren llega a tiempo.
Hoy tenemos tiempo de sobra. | Nadie sabe la respuesta. | El trabajo está casi terminado.
La música era suave y hermosa. | ¿Por qué es tan importante? | ¿Qué podemos aprender de esto?
¿Quién sabe la respuesta? | ¡Qué día tan bonito! | ¡Qué sorpresa para todos! | Al final, todo salió bien.
Un buen libro hace corta la tarde. | Siempre vale la pena intentarlo. | Más tarde volvieron juntos a casa.
Cuando llueve, todos prefieren quedarse en casa.
about
La palabra {about} es importante aquí. | Todos conocen la palabra {about}.
¿Qué significa {about} en realidad? | Nadie esperaba {about} tan pronto. | Enseguida pensamos en {about}.
Sin {about} la historia no sería igual. | Ayer todos hablaban de {about}.
También {about} forma parte de esto.
phrases
una buena idea | el primer paso | la casa vieja | un nuevo comienzo | tiempo y paciencia
el pequeño jardín | una tarde tranquila | la pregunta correcta | buenos amigos | toda la verdad
pan recién hecho | la última oportunidad | una hermosa música | una gran sorpresa

[it]
links
{first} e {second} | {first}, e {second} | {first}, ma {second}
sentences
Questo argomento è molto interessante. | Molte persone ne parlano ogni giorno.
Ogni giorno impariamo qualcosa di nuovo. | Ci vogliono tempo e pazienza.
Spesso i bambini fanno buone domande. | Mia nonna ci ha raccontato una vecchia storia.
Al mattino la città è ancora tranquilla. | La sera tutta la famiglia si siede a tavola.
Ieri il tempo era bellissimo. | Tutti i nostri vicini si aiutano volentieri.
Il piccolo giardino dietro la casa è pieno di fiori. | Il mercato apre presto e chiude tardi.
La maestra spiega tutto con grande chiarezza. | Servono una buona idea e un poco di coraggio.
Il primo passo è spesso il più difficile. | Ogni errore ci insegna qualcosa.
Gli amici valgono più del denaro. | La finestra è aperta e il vento è tiepido.
Oggi il pane ha un profumo meraviglioso. | Il vecchio ponte attraversa il fiume.
Il treno arriva in orario. | Oggi abbiamo molto tempo. | Nessuno conosce la risposta.
Il lavoro è quasi finito. | La musica era dolce e bella. | Perché è così importante?
Che cosa possiamo imparare? | Chi conosce la risposta? | Che bella giornata! | Che sorpresa per tutti!
Alla fine, tutto è andato bene. | Un buon libro rende breve la serata. | Vale sempre la pena provare.
Più tardi tornarono a casa insieme. | Quando piove, tutti restano volentieri a casa.
about
La parola {about} è importante qui. | Tutti conoscono la parola {about}. | Che cosa significa {about}?
Nessuno si aspettava {about}. | Pensiamo subito a {about}.
Senza {about} la storia non sarebbe la stessa. | Ieri tutti parlavano di {about}.
Anche {about} ne fa parte.
phrases
una buona idea | il primo passo | la vecchia casa | un nuovo inizio | tempo e pazienza
il piccolo giardino | una serata tranquilla | la domanda giusta | buoni amici | tutta la verità
pane fresco | una seconda occasione | una bella musica | una grande sorpresa

[pt]
links
{first} e {second} | {first}, e {second} | {first}, mas {second}
sentences
Este assunto é muito interessante. | Muitas pessoas falam sobre isso todos os dias.
Todos os dias aprendemos algo novo. | Isso exige tempo e paciência.
As crianças costumam fazer boas perguntas. | Minha avó nos contou uma história antiga.
De manhã a cidade ainda está tranquila. | Todas as noites a família se reúne em volta da mesa.
Ontem fez um tempo maravilhoso. | Nossos vizinhos gostam de ajudar uns aos outros.
Nosso pequeno jardim atrás da casa está cheio de flores. | Esse mercado abre cedo e fecha tarde.
Nossa professora explica tudo com muita clareza. | Precisamos de uma boa ideia e de um pouco de coragem.
Muitas vezes o primeiro passo é o mais difícil. | Cada erro nos ensina alguma coisa.
Os amigos valem mais do que o dinheiro. | Essa janela está aberta e o vento é morno.
Hoje o pão está com um cheiro maravilhoso. | Aquela ponte antiga atravessa o rio.
Nosso trem não se atrasou. | Hoje temos muito tempo. | Ninguém sabe a resposta.
Nosso trabalho está quase pronto. | Aquela música era suave e bonita. | Por que isso é tão importante?
Que podemos aprender com isso? | Quem sabe a resposta? | Que dia bonito! | Que surpresa para todos!
No final, tudo deu certo. | Um bom livro faz o tempo passar depressa. | Sempre vale a pena tentar.
Mais tarde eles voltaram juntos para casa. | Quando chove, todos preferem ficar em casa.
about
Aqui a palavra {about} é importante. | Todos conhecem a palavra {about}.
Que significa a palavra {about}? | Ninguém esperava por {about}. | Pensamos logo em {about}.
Sem {about} a história não seria a mesma. | Ontem todos falavam de {about}.
Também {about} faz parte disso.
phrases
uma boa ideia | o primeiro passo | a casa antiga | um novo começo | tempo e paciência | o pequeno jardim
uma noite tranquila | a pergunta certa | bons amigos | toda a verdade | pão fresco | uma última chance
uma bela música | uma grande surpresa

[pl]
links
{first} i {second} | {first}, a {second} | {first}, ale {second}
sentences
Ten temat jest bardzo ciekawy. | Wiele osób rozmawia o tym codziennie.
Każdego dnia uczymy się czegoś nowego. | To wymaga czasu i cierpliwości.
Dzieci często zadają dobre pytania. | Moja babcia opowiedziała nam starą historię.
Rano miasto jest jeszcze ciche. | Wieczorem cała rodzina siedzi przy stole. | Wczoraj pogoda była piękna.
Nasi sąsiedzi chętnie sobie pomagają. | Mały ogród za domem jest pełen kwiatów.
Targ otwiera się wcześnie i zamyka późno. | Nauczycielka wszystko bardzo jasno tłumaczy.
Potrzebny jest dobry pomysł i trochę odwagi. | Pierwszy krok jest często najtrudniejszy.
Każdy błąd czegoś nas uczy. | Przyjaciele są ważniejsi niż pieniądze.
Okno jest otwarte, a wiatr jest ciepły. | Chleb dzisiaj pięknie pachnie.
Stary most prowadzi przez rzekę. | Pociąg przyjeżdża punktualnie. | Dzisiaj mamy dużo czasu.
Nikt nie zna odpowiedzi. | Praca jest prawie skończona. | Muzyka była cicha i piękna.
Dlaczego to jest takie ważne? | Czego możemy się z tego nauczyć? | Kto zna odpowiedź? | Jaki piękny dzień!
To naprawdę niespodzianka! | Ostatecznie wszystko dobrze się skończyło. | Dobra książka skraca wieczór.
Zawsze warto spróbować. | Później wrócili razem do domu. | Kiedy pada deszcz, wszyscy zostają w domu.
about
Słowo {about} jest tutaj ważne. | Wszyscy znają słowo {about}. | Co oznacza słowo {about}?
Nikt nie spodziewał się słowa {about}. | Od razu myślimy o słowie {about}.
Bez słowa {about} ta historia byłaby inna. | Wczoraj wszyscy powtarzali słowo {about}.
Trzeba też wspomnieć słowo {about}.
phrases
dobry pomysł | pierwszy krok | stary dom | nowy początek | czas i cierpliwość | mały ogród
spokojny wieczór | właściwe pytanie | dobrzy przyjaciele | cała prawda | świeży chleb | ostatnia szansa
piękna muzyka | wielka niespodzianka

[fi]
links
{first} ja {second} | {first}, ja {second} | {first}, mutta {second}
sentences
Tämä aihe on hyvin kiinnostava. | Monet ihmiset puhuvat siitä joka päivä.
Opimme joka päivä jotain uutta. | Siihen tarvitaan aikaa ja kärsivällisyyttä.
Lapset esittävät usein hyviä kysymyksiä. | Isoäitini kertoi meille vanhan tarinan.
Aamulla kaupunki on vielä hiljainen. | Illalla koko perhe istuu pöydän ääressä. | Eilen sää oli kaunis.
Naapurimme auttavat mielellään toisiaan. | Pieni puutarha talon takana on täynnä kukkia.
Tori avataan aikaisin ja suljetaan myöhään. | Opettaja selittää kaiken hyvin selvästi.
Tarvitaan hyvä idea ja vähän rohkeutta. | Ensimmäinen askel on usein vaikein.
Jokainen virhe opettaa meille jotain. | Ystävät ovat tärkeämpiä kuin raha.
Ikkuna on auki ja tuuli on lämmin. | Leipä tuoksuu tänään ihanalta. | Vanha silta vie joen yli.
Juna saapuu ajoissa. | Tänään meillä on paljon aikaa. | Kukaan ei tiedä vastausta.
Työ on melkein valmis. | Musiikki oli hiljaista ja kaunista. | Miksi tämä on niin tärkeää?
Mitä voimme oppia tästä? | Kuka tietää vastauksen? | Miten kaunis päivä! | Se oli todella yllätys!
Lopulta kaikki meni hyvin. | Hyvä kirja tekee illasta lyhyen. | Aina kannattaa yrittää.
Myöhemmin he kävelivät yhdessä kotiin. | Kun sataa, kaikki jäävät mielellään kotiin.
about
Sana {about} on tässä tärkeä. | Kaikki tuntevat sanan {about}. | Mitä sana {about} tarkoittaa?
Kukaan ei odottanut sanaa {about}. | Ajattelemme heti sanaa {about}.
Ilman sanaa {about} tarina olisi toinen. | Eilen kaikki toistivat sanaa {about}.
Myös {about} kuuluu tähän.
phrases
hyvä idea | ensimmäinen askel | vanha talo | uusi alku | aikaa ja kärsivällisyyttä | pieni puutarha
rauhallinen ilta | oikea kysymys | hyvät ystävät | koko totuus | tuoretta leipää | viimeinen mahdollisuus
kaunista musiikkia | suuri yllätys

[ru]
links
{first}, и {second} | {first}, а {second} | {first}, но {second}
sentences
Эта тема очень интересная. | Многие люди говорят об этом каждый день.
Каждый день приносит нам новые знания. | Для этого нужны время и терпение.
Дети часто задают хорошие вопросы. | Моя бабушка рассказала нам старую историю.
Утром город ещё совсем тихий. | Вечером вся семья сидит за столом. | Вчера погода была прекрасная.
Наши соседи охотно помогают друг другу. | Маленький сад за домом полон цветов.
Рынок открывается рано и закрывается поздно. | Учительница всё объясняет очень понятно.
Нужны хорошая идея и немного смелости. | Первый шаг часто самый трудный.
На ошибках люди учатся всю жизнь. | Друзья важнее денег. | Окно открыто, и ветер тёплый.
Хлеб сегодня чудесно пахнет. | Старый мост ведёт через реку. | Поезд приходит вовремя.
Сегодня у нас много времени. | Никто не знает ответа. | Работа почти закончена.
Музыка была тихой и красивой. | Почему это так важно? | Чему мы можем научиться? | Кто знает ответ?
Какой прекрасный день! | Это настоящий сюрприз для всех! | Наконец всё закончилось хорошо.
Хорошая книга делает вечер коротким. | Всегда стоит попробовать. | Потом они вместе пошли домой.
Когда идёт дождь, все остаются дома.
about
Слово {about} здесь очень важно. | Все знают слово {about}. | Что означает слово {about}?
Никто не ожидал слова {about}. | Мы сразу вспоминаем слово {about}.
Без слова {about} эта история была бы другой. | Вчера все повторяли слово {about}.
Здесь нужно сказать и про {about}.
phrases
хорошая идея | первый шаг | старый дом | новое начало | время и терпение | маленький сад | тихий вечер
правильный вопрос | хорошие друзья | вся правда | свежий хлеб | последняя возможность | красивая музыка
большой сюрприз

[uk]
links
{first}, і {second} | {first}, а {second} | {first}, але {second}
sentences
Ця тема дуже цікава. | Багато людей говорять про це щодня. | Щодня ми дізнаємося багато нового.
Для цього потрібні час і терпіння. | Діти часто ставлять хороші запитання.
Моя бабуся розповіла нам давню історію. | Вранці місто ще зовсім тихе.
Увечері вся родина сидить за столом. | Учора погода була чудова.
Наші сусіди охоче допомагають одне одному. | Маленький сад за будинком повен квітів.
Ринок відчиняється рано і зачиняється пізно. | Учителька все пояснює дуже зрозуміло.
Потрібні гарна ідея і трохи сміливості. | Перший крок часто найважчий. | Кожна помилка нас чогось навчає.
Друзі важливіші за гроші. | Вікно відчинене, і вітер теплий. | Хліб сьогодні чудово пахне.
Старий міст веде через річку. | Поїзд приходить вчасно. | Сьогодні ми маємо багато часу.
Ніхто не знає відповіді. | Робота майже закінчена. | Музика була тиха і гарна. | Чому це так важливо?
Чого ми можемо навчитися? | Хто знає відповідь? | Який чудовий день! | Це справжня несподіванка для всіх!
Нарешті все закінчилося добре. | Хороша книжка скорочує вечір. | Завжди варто спробувати.
Потім вони разом пішли додому. | Коли йде дощ, усі залишаються вдома.
about
Слово {about} тут дуже важливе. | Усі знають слово {about}. | Що означає слово {about}?
Ніхто не чекав слова {about}. | Ми одразу згадуємо слово {about}.
Без слова {about} ця історія була б іншою. | Учора всі повторювали слово {about}.
Тут треба сказати і про {about}.
phrases
гарна ідея | перший крок | старий будинок | новий початок | час і терпіння | маленький сад | тихий вечір
правильне запитання | хороші друзі | уся правда | свіжий хліб | остання можливість | гарна музика
велика несподіванка

[bg]
links
{first} и {second} | {first}, а {second} | {first}, но {second}
sentences
Тази тема е много интересна. | Много хора говорят за това всеки ден. | Всеки ден научаваме нещо ново.
За това са нужни време и търпение. | Децата често задават добри въпроси.
Баба ми ни разказа една стара история. | Сутрин градът е още тих.
Вечер цялото семейство сяда около масата. | Вчера времето беше прекрасно.
Нашите съседи с удоволствие си помагат. | Малката градина зад къщата е пълна с цветя.
Пазарът отваря рано и затваря късно. | Учителката обяснява всичко много ясно.
Нужни са добра идея и малко смелост. | Първата стъпка често е трудна. | Всяка грешка ни учи на нещо.
Приятелството струва повече от парите. | Прозорецът е отворен, а вятърът е топъл.
Днес хлябът ухае чудесно. | Старият мост минава над реката. | Влакът пристига навреме.
Днес имаме много време. | Никой не знае отговора. | Работата е почти готова.
Музиката звучеше тихо и нежно. | Слънцето грееше цял следобед. | Вятърът духаше през нощта.
Търпението винаги помага. | Къщата беше пълна със светлина. | Защо това е толкова важно?
Какво можем да научим от това? | Кой знае отговора? | Какъв прекрасен ден! | Това наистина е изненада!
Накрая всичко завърши добре. | Хубавата книга скъсява вечерта. | Винаги си струва да опитаме.
После те се прибраха заедно вкъщи. | Когато вали дъжд, всички остават вкъщи.
about
Думата {about} е важна тук. | Всички знаят думата {about}. | Какво означава думата {about}?
Никой не очакваше думата {about}. | Веднага се сещаме за думата {about}.
Без думата {about} тази история щеше да е друга. | Вчера всички повтаряха думата {about}.
Тук трябва да споменем и {about}.
phrases
добра идея | първата стъпка | старата къща | ново начало | време и търпение | малката градина | тиха вечер
правилният въпрос | добри приятели | цялата истина | пресен хляб | последна възможност | красива музика
голяма изненада

[vi]
links
{first} và {second} | {first}, nhưng {second} | {first}, còn {second}
sentences
Chủ đề này rất thú vị. | Nhiều người nói về điều đó mỗi ngày. | Mỗi ngày chúng ta học được một điều mới.
Việc này cần thời gian và sự kiên nhẫn. | Trẻ em thường hỏi những câu rất hay.
Bà tôi kể cho chúng tôi nghe một câu chuyện cũ. | Buổi sáng thành phố vẫn còn yên tĩnh.
Buổi tối cả gia đình ngồi quanh bàn ăn. | Hôm qua trời rất đẹp.
Hàng xóm của chúng tôi luôn giúp đỡ lẫn nhau. | Khu vườn nhỏ sau nhà có rất nhiều hoa.
Chợ mở cửa sớm và đóng cửa muộn. | Cô giáo giải thích mọi thứ rất rõ ràng.
Chúng ta cần một ý tưởng hay và một chút can đảm. | Bước đầu tiên thường là bước khó nhất.
Mỗi sai lầm đều dạy chúng ta một điều gì đó. | Bạn bè quan trọng hơn tiền bạc.
Cửa sổ đang mở và gió rất ấm. | Hôm nay bánh mì thơm quá. | Cây cầu cũ bắc qua dòng sông.
Chuyến tàu đến đúng giờ. | Hôm nay chúng ta có nhiều thời gian. | Không ai biết câu trả lời.
Công việc gần như đã xong. | Âm nhạc thật nhẹ nhàng và đẹp. | Tại sao điều này lại quan trọng như vậy?
Chúng ta có thể học được gì từ đó? | Ai biết câu trả lời? | Một ngày thật đẹp! | Đó thật là một bất ngờ!
Cuối cùng mọi việc đều tốt đẹp. | Một cuốn sách hay làm buổi tối trôi nhanh. | Thử một lần cũng đáng.
Sau đó họ cùng nhau đi bộ về nhà. | Khi trời mưa, mọi người ở lại trong nhà. | Mọi người đều cười.
Chúng ta bắt đầu nhé! | Trời bắt đầu mưa.
about
Từ {about} rất quan trọng ở đây. | Ai cũng biết từ {about}. | Từ {about} có nghĩa gì?
Không ai chờ đợi {about}. | Chúng ta nghĩ ngay đến {about}. | Không có {about} thì câu chuyện sẽ khác.
Hôm qua mọi người đều nói về {about}. | Chúng ta cũng cần nhắc đến {about}.
phrases
ý tưởng hay | bước đầu tiên | ngôi nhà cũ | khởi đầu mới | thời gian và kiên nhẫn | khu vườn nhỏ
buổi tối yên tĩnh | câu hỏi đúng | bạn bè tốt | toàn bộ sự thật | bánh mì nóng | cơ hội cuối cùng
âm nhạc hay | bất ngờ lớn

[ar]
links
{first} و{second} | {first}، و{second} | {first}، لكن {second}
sentences
هذا الموضوع ممتع جدا. | يتحدث كثير من الناس عن ذلك كل يوم. | نتعلم كل يوم شيئا جديدا.
يحتاج هذا الأمر إلى الوقت والصبر. | يطرح الأطفال أسئلة جيدة في كثير من الأحيان. | حكت لنا جدتي قصة قديمة.
في الصباح تكون المدينة هادئة. | في المساء تجلس العائلة كلها حول المائدة. | كان الطقس جميلا أمس.
يساعد الجيران بعضهم بعضا. | الحديقة الصغيرة خلف البيت مليئة بالزهور. | يفتح السوق مبكرا ويغلق متأخرا.
تشرح المعلمة كل شيء بوضوح. | نحتاج إلى فكرة جيدة وقليل من الشجاعة. | الخطوة الأولى هي الأصعب غالبا.
كل خطأ يعلمنا شيئا. | الأصدقاء أهم من المال. | النافذة مفتوحة والهواء دافئ. | رائحة الخبز رائعة اليوم.
يمر الجسر القديم فوق النهر. | وصل القطار في موعده. | لدينا اليوم وقت كثير. | لا أحد يعرف الجواب.
انتهى العمل تقريبا. | كانت الموسيقى هادئة وجميلة. | ما أجمل هذا اليوم! | يا لها من مفاجأة!
في النهاية سار كل شيء على ما يرام. | الكتاب الجيد يجعل المساء قصيرا. | الأمر يستحق المحاولة دائما.
عاد الجميع إلى البيت معا. | تعلمنا الكثير من هذه التجربة. | السماء صافية والبحر هادئ.
عندما ينزل المطر، يبقى الجميع في البيت.
about
كلمة {about} مهمة هنا. | الجميع يعرف كلمة {about}. | لم يتوقع أحد كلمة {about}.
نفكر فورا في كلمة {about}. | تعني كلمة {about} الكثير لنا. | من دون كلمة {about} تكون القصة مختلفة.
أمس كرر الجميع كلمة {about}. | يجب أن نذكر {about} أيضا.
phrases
فكرة جيدة | الخطوة الأولى | البيت القديم | بداية جديدة | الوقت والصبر | الحديقة الصغيرة | مساء هادئ
السؤال الصحيح | أصدقاء طيبون | الحقيقة كلها | خبز طازج | الفرصة الأخيرة | موسيقى جميلة | مفاجأة كبيرة

[fa]
links
{first} و {second} | {first}، و {second} | {first}، اما {second}
sentences
این موضوع بسیار جالب است. | بسیاری از مردم هر روز درباره آن حرف می‌زنند.
ما هر روز چیز تازه‌ای یاد می‌گیریم. | این کار به زمان و صبر نیاز دارد.
کودکان اغلب پرسش‌های خوبی می‌پرسند. | مادربزرگم برای ما یک داستان قدیمی تعریف کرد.
صبح‌ها شهر هنوز آرام است. | شب‌ها همه خانواده دور میز می‌نشینند. | دیروز هوا خیلی خوب بود.
همسایه‌های ما به یکدیگر کمک می‌کنند. | باغچه کوچک پشت خانه پر از گل است.
بازار صبح زود باز می‌شود و شب دیر بسته می‌شود. | معلم همه چیز را خیلی روشن توضیح می‌دهد.
یک فکر خوب و کمی شجاعت لازم است. | قدم اول معمولا سخت‌ترین قدم است. | هر اشتباهی چیزی به ما یاد می‌دهد.
دوستان از پول مهم‌ترند. | پنجره باز است و باد گرم می‌وزد. | امروز نان بوی خیلی خوبی دارد.
پل قدیمی از روی رودخانه می‌گذرد. | قطار سر وقت می‌رسد. | امروز وقت زیادی داریم. | هیچ کس جواب را نمی‌داند.
کار تقریبا تمام شده است. | موسیقی آرام و زیبا بود. | چه روز زیبایی! | این واقعا یک شگفتی است!
در پایان همه چیز خوب پیش رفت. | یک کتاب خوب شب را کوتاه می‌کند. | تلاش کردن همیشه ارزش دارد.
بعد همه با هم به خانه رفتند. | گاهی باید کمی بیشتر صبر کنیم. | وقتی باران می‌بارد، همه در خانه می‌مانند.
about
کلمه {about} در اینجا مهم است. | همه کلمه {about} را می‌شناسند. | هیچ کس انتظار کلمه {about} را نداشت.
ما فورا به {about} فکر می‌کنیم. | بدون کلمه {about} داستان چیز دیگری بود.
دیروز همه از {about} حرف می‌زدند. | باید {about} را هم به یاد بیاوریم. | معنی {about} برای ما روشن است.
phrases
فکر خوب | قدم اول | خانه قدیمی | آغازی تازه | زمان و صبر | باغچه کوچک | شبی آرام | پرسش درست | دوستان خوب
همه حقیقت | نان تازه | آخرین فرصت | موسیقی زیبا | شگفتی بزرگ

[he]
links
{first} ו{second} | {first}, ו{second} | {first}, אבל {second}
sentences
הנושא הזה מעניין מאוד. | אנשים רבים מדברים על זה כל יום. | כל יום אנחנו לומדים משהו חדש.
צריך לזה זמן וסבלנות. | הילדים שואלים לעתים קרובות שאלות טובות. | סבתא שלי סיפרה לנו סיפור ישן.
בבוקר העיר עדיין שקטה. | בערב כל המשפחה יושבת סביב השולחן. | אתמול מזג האוויר היה נפלא.
השכנים שלנו עוזרים זה לזה. | הגינה הקטנה מאחורי הבית מלאה פרחים. | השוק נפתח מוקדם ונסגר מאוחר.
המורה מסבירה הכול בצורה ברורה. | צריך רעיון טוב וקצת אומץ. | הצעד הראשון הוא בדרך כלל הקשה ביותר.
כל טעות מלמדת אותנו משהו. | חברים חשובים יותר מכסף. | החלון פתוח והרוח חמימה. | ללחם יש היום ריח נהדר.
הגשר הישן עובר מעל הנהר. | הרכבת מגיעה בזמן. | היום יש לנו הרבה זמן. | אף אחד לא יודע את התשובה.
העבודה כמעט הסתיימה. | המוזיקה הייתה שקטה ויפה. | למה זה כל כך חשוב? | מה אפשר ללמוד מזה?
מי יודע את התשובה? | איזה יום יפה! | זאת באמת הפתעה! | בסוף הכול הסתדר. | ספר טוב מקצר את הערב.
תמיד כדאי לנסות. | אחר כך הם הלכו הביתה יחד. | כשיורד גשם, כולם נשארים בבית.
about
המילה {about} חשובה כאן. | כולם מכירים את המילה {about}. | מה המשמעות של {about}?
אף אחד לא ציפה למילה {about}. | אנחנו חושבים מיד על {about}. | בלי המילה {about} הסיפור היה אחר.
אתמול כולם דיברו על {about}. | גם {about} שייך לכאן.
phrases
רעיון טוב | הצעד הראשון | הבית הישן | התחלה חדשה | זמן וסבלנות | הגינה הקטנה | ערב שקט | השאלה הנכונה
חברים טובים | כל האמת | לחם טרי | הזדמנות אחרונה | מוזיקה יפה | הפתעה גדולה

[hi]
links
{first} और {second} | {first}, और {second} | {first}, लेकिन {second}
sentences
यह विषय बहुत रोचक है. | बहुत से लोग हर दिन इसके बारे में बात करते हैं. | हम हर दिन कुछ नया सीखते हैं.
इसके लिए समय और धैर्य चाहिए. | बच्चे अक्सर अच्छे सवाल पूछते हैं.
मेरी दादी ने हमें एक पुरानी कहानी सुनाई. | सुबह के समय शहर शांत रहता है.
शाम को पूरा परिवार एक साथ खाना खाता है. | कल मौसम बहुत अच्छा था. | हमारे पड़ोसी एक दूसरे की मदद करते हैं.
घर के पीछे का छोटा बगीचा फूलों से भरा है. | बाज़ार जल्दी खुलता है और देर से बंद होता है.
अध्यापिका सब कुछ साफ़ साफ़ समझाती हैं. | एक अच्छा विचार और थोड़ा साहस चाहिए.
पहला कदम अक्सर सबसे कठिन होता है. | हर गलती हमें कुछ सिखाती है. | दोस्त पैसे से ज़्यादा ज़रूरी हैं.
खिड़की खुली है और हवा गरम है. | आज रोटी की खुशबू बहुत अच्छी है. | पुराना पुल नदी के ऊपर से जाता है.
रेलगाड़ी समय पर आती है. | आज हमारे पास बहुत समय है. | किसी को जवाब नहीं पता. | काम लगभग पूरा हो गया है.
संगीत धीमा और सुंदर था. | यह इतना ज़रूरी क्यों है? | हम इससे क्या सीख सकते हैं? | जवाब कौन जानता है?
कितना सुंदर दिन है! | यह सच में एक आश्चर्य है! | अंत में सब कुछ अच्छा हुआ.
अच्छी किताब शाम को छोटा कर देती है. | कोशिश करना हमेशा अच्छा है. | बाद में वे साथ में घर गए.
जब बारिश होती है, तब सब घर में रहते हैं.
about
यहाँ {about} शब्द बहुत महत्वपूर्ण है. | सब लोग {about} शब्द जानते हैं. | यहाँ {about} का क्या अर्थ है?
किसी ने {about} के बारे में नहीं सोचा था. | हमें तुरंत {about} की याद आती है.
इस {about} के बिना कहानी अधूरी है. | कल सब लोग {about} की बात कर रहे थे. | हमें {about} भी चाहिए.
phrases
अच्छा विचार | पहला कदम | पुराना घर | नई शुरुआत | समय और धैर्य | छोटा बगीचा | शांत शाम | सही सवाल
अच्छे दोस्त | पूरा सच | ताज़ी रोटी | आखिरी मौका | सुंदर संगीत | बड़ा आश्चर्य

[ko]
links
그리고 {second} | 또한 {second} | 하지만 {second} | 그래서 {second}
sentences
이 주제는 매우 흥미롭습니다. | 많은 사람들이 매일 이것에 대해 이야기합니다.
우리는 매일 새로운 것을 배웁니다. | 이 일에는 시간과 인내심이 필요합니다.
아이들은 자주 좋은 질문을 합니다. | 할머니께서 우리에게 옛날이야기를 들려주셨습니다.
아침에는 도시가 아직 조용합니다. | 저녁에는 온 가족이 식탁에 둘러앉습니다.
어제는 날씨가 정말 좋았습니다. | 이웃들은 서로 기꺼이 돕습니다. | 집 뒤의 작은 정원에는 꽃이 가득합니다.
시장은 일찍 열고 늦게 닫습니다. | 선생님은 모든 것을 아주 쉽게 설명하십니다.
좋은 생각과 약간의 용기가 필요합니다. | 첫걸음이 가장 어려운 법입니다.
모든 실수는 우리에게 무언가를 가르쳐 줍니다. | 친구는 돈보다 소중합니다.
창문이 열려 있고 바람이 따뜻합니다. | 오늘은 빵 냄새가 아주 좋습니다.
오래된 다리가 강 위에 놓여 있습니다. | 기차는 제시간에 도착합니다. | 오늘은 시간이 많습니다.
아무도 답을 모릅니다. | 일이 거의 끝났습니다. | 음악은 부드럽고 아름다웠습니다.
왜 이것이 그렇게 중요할까요? | 우리는 여기서 무엇을 배울 수 있을까요? | 누가 답을 알고 있을까요?
정말 아름다운 날입니다! | 정말 놀라운 일입니다! | 결국 모든 일이 잘 되었습니다.
좋은 책은 저녁을 짧게 만듭니다. | 한번 해 볼 만한 일입니다. | 그들은 나중에 함께 집으로 걸어갔습니다.
비가 오면, 모두 집에 머뭅니다. | 조용한 공원에서 새들이 노래합니다.
작은 가게 앞에 사람들이 줄을 섰습니다. | 봄이 오면 산에 꽃이 핍니다.
우리는 다음 주에 다시 만나기로 했습니다. | 따뜻한 차 한 잔이 마음을 편하게 합니다.
about
여기서는 {about} 라는 단어가 중요합니다. | 모두가 {about} 라는 단어를 압니다.
도대체 {about} 라는 말은 무슨 뜻일까요? | 아무도 {about} 라는 말을 예상하지 못했습니다.
우리는 바로 {about} 라는 단어를 떠올립니다. | 어제 모두가 {about} 이야기를 했습니다.
이 이야기에는 {about} 라는 단어가 꼭 필요합니다. | 물론 {about} 이야기도 해야 합니다.
phrases
좋은 생각 | 첫 번째 걸음 | 오래된 집 | 새로운 시작 | 시간과 인내심 | 작은 정원 | 조용한 저녁 | 올바른 질문
좋은 친구들 | 모든 진실 | 갓 구운 빵 | 마지막 기회 | 아름다운 음악 | 큰 놀라움

[sw]
links
{first}, na {second} | {first}, lakini {second} | {first}, kwa hiyo {second}
sentences
Mada hii inavutia sana. | Watu wengi huzungumza kuhusu jambo hili kila siku.
Kila siku tunajifunza jambo jipya. | Kazi hii inahitaji muda na uvumilivu.
Mara nyingi watoto huuliza maswali mazuri. | Bibi yangu alitusimulia hadithi ya zamani.
Asubuhi mji bado uko kimya. | Jioni familia yote huketi mezani. | Jana hali ya hewa ilikuwa nzuri sana.
Majirani zetu husaidiana kwa furaha. | Bustani ndogo nyuma ya nyumba imejaa maua.
Soko hufunguliwa mapema na kufungwa usiku. | Mwalimu anaeleza kila kitu vizuri sana.
Tunahitaji wazo zuri na ujasiri kidogo. | Mara nyingi hatua ya kwanza ni ngumu.
Kila kosa hutufundisha jambo fulani. | Marafiki ni muhimu kuliko pesa.
Dirisha liko wazi na upepo ni wa joto. | Mkate unanukia vizuri leo. | Daraja la zamani linavuka mto.
Treni inafika kwa wakati. | Leo tuna muda mwingi. | Hakuna anayejua jibu. | Kazi imekaribia kumalizika.
Muziki ulikuwa mtulivu na mzuri. | Kwa nini jambo hili ni muhimu sana?
Tunaweza kujifunza nini kutokana na jambo hili? | Nani anajua jibu? | Leo ni siku nzuri sana!
Hili ni jambo la kushangaza! | Mwishowe mambo yote yalienda vizuri.
Kitabu kizuri hufanya jioni iwe fupi. | Ni vizuri kujaribu kila wakati.
Baadaye walirudi nyumbani pamoja. | Mvua inaponyesha, watu hubaki nyumbani.
about
Neno {about} ni muhimu sana hapa. | Watu wote wanajua neno {about}. | Je, neno {about} lina maana gani?
Hakuna mtu aliyetarajia neno {about}. | Mara moja tunakumbuka neno {about}.
Bila neno {about} hadithi hii ingekuwa tofauti kabisa. | Jana kila mtu alizungumza kuhusu {about}.
Lazima tutaje {about} pia.
phrases
wazo zuri | hatua ya kwanza | nyumba ya zamani | mwanzo mpya | muda na uvumilivu | bustani ndogo
jioni tulivu | swali sahihi | marafiki wazuri | ukweli wote | mkate mpya | nafasi ya mwisho | muziki mzuri
mshangao mkubwa
"""
