/** What a trigger says about the concepts in its scope. */
export type TriggerRule = 'NEGATED' | 'POSSIBLE' | 'HISTORICAL' | 'HYPOTHETICAL' | 'FAMILY' | 'OTHER' | 'PSEUDO' | 'TERMINATE';
/** PRE rules what follows it, POST what precedes it, BOTH either side; pseudo triggers and terminators rule nothing. */
export type TriggerScope = 'PRE' | 'POST' | 'BOTH' | 'NONE';

/** Common English triggers of clinical text, written for this product. One phrase of lower-case words each; `/` parts phrases. */
export const TRIGGERS: readonly (readonly [rule: TriggerRule, scope: TriggerScope, phrases: string])[] = [
  [
    'NEGATED',
    'PRE',
    `no/not/without/denies/denied/denying/deny/absence of/negative for/free of/never/never had/none of/neither/nor
    /no evidence of/no sign of/no signs of/no evidence for/no history of/no complaints of/no complaint of/does not have/did not have/do not have
    /doesn't have/didn't have/don't have/has no/had no/have no/with no/without any/without evidence of/failed to reveal/fails to reveal/rules out
    /ruled out for/rule him out for/rule her out for/ruled him out for/ruled her out for/ruled the patient out for/ruled out
    /cannot see/not demonstrate/not associated with/not complain of/unremarkable for/no suspicious/no abnormal/lack of/lacked/lacks
    /declines/not appear to have/not feel/not had/not have/not know of/not reveal/not see/not show/negative/nonspecific for/resolved without
    /no longer has/no longer/no new/no further/no other/no acute/no obvious/no significant/no definite/no focal/afebrile without`,
  ],
  [
    'NEGATED',
    'POST',
    `was ruled out/is ruled out/has been ruled out/have been ruled out/were ruled out/ruled out/not seen/was not seen/is not seen
    /not present/was negative/is negative/were negative/are negative/is absent/are absent/was absent/were absent/unlikely/is unlikely/was unlikely
    /not identified/not demonstrated/not appreciated/not detected/not noted/not found/denied/has resolved/resolved/free/: no/: none/: negative/none seen
    /none`,
  ],
  [
    'POSSIBLE',
    'PRE',
    `possible/possibly/probable/probably/suspected/suspicious for/suspicion of/suspicion for/concern for/concerning for/rule out/r/o
    /may have/might have/could be/questionable/likely/versus/vs/cannot exclude/cannot rule out/not ruled out/differential includes/to exclude
    /consider/evaluate for/worrisome for/be ruled out for/question of`,
  ],
  [
    'POSSIBLE',
    'POST',
    `is possible/is suspected/was suspected/cannot be excluded/cannot be ruled out/not ruled out/should be ruled out/must be ruled out
    /is likely/to be ruled out/be ruled out/did not rule out/could not be excluded`,
  ],
  [
    'HISTORICAL',
    'PRE',
    `history of/history/past history of/past medical history/past medical history of/past surgical history/hx of/h/o/hx/previous
    /previously/prior/in the past/status post/s/p/remote/pmh/known history of/known/chronic/history significant for/years ago he had`,
  ],
  ['HISTORICAL', 'POST', 'in the past/years ago/months ago/in childhood/as a child/by history/since childhood'],
  [
    'HYPOTHETICAL',
    'PRE',
    `if/should he develop/should she develop/should you/return for/return if/return to the emergency room for/call for/call if
    /in case of/as needed for/prn/unless/in the event of/watch for/monitor for/to prevent/prophylaxis for/prophylaxis against/risk of/risk for
    /risks of/risk of developing/risks include/at risk for/screening for`,
  ],
  ['HYPOTHETICAL', 'POST', 'prophylaxis/precautions/screening'],
  [
    'FAMILY',
    'BOTH',
    `mother/father/brother/sister/mom/dad/aunt/uncle/grandmother/grandfather/son/daughter/cousin/sibling/siblings/parents/family history
    /family history of/fh/mother's/father's/brother's/sister's/family history is positive for/family/brothers/sisters`,
  ],
  ['OTHER', 'BOTH', 'roommate/donor/neighbor/coworker/classmate/husband/wife/sick contacts/spouse'],
  [
    'PSEUDO',
    'NONE',
    `no increase/no change/no significant change/no interval change/no suspicious change/not only/not necessarily/not certain if
    /not certain whether/without difficulty/without any further/gram negative/not cause/not drain/not extend/not clear
    /no previous/no prior/not significantly changed/not changed/if negative/history and physical/history taking/poor history/social history
    /history of present illness/surgical history/by his wife/by her husband/by his mother/by her mother/with her mother/with his mother/with the family
    /family practice/family doctor/family medicine/brought by/the family/her family/his family/with family/know if/see if/asked if/ask if/negative pressure`,
  ],
  [
    'TERMINATE',
    'NONE',
    `but/however/although/though/except/except for/apart from/aside from/nevertheless/yet/still/which/who/because/since/secondary to
    /due to/caused by/as a cause of/as a source of/as an etiology for/presenting/presents/presented/complains of/complaining of/reports/now/today
    /other than/which is/that is/with an/then/until/noted to have/was found to have/revealed/showed/demonstrated/for which/therefore/patient has/on admission`,
  ],
];
