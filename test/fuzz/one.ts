/** One input, made and read. */
import { randomFrom } from './random.ts';
import { type Input, outcomeOf, type Subject } from './subject.ts';
import { SUBJECTS } from './subjects/index.ts';

export interface Place {
  readonly seed: string;
  readonly subject: string;
  readonly number: number;
}

export const subjectNamed = (name: string): Subject => {
  const found = SUBJECTS.find((subject) => subject.name === name);
  if (!found) throw new Error(`there is no subject ${name}; there are ${SUBJECTS.map((one) => one.name).join(', ')}`);
  return found;
};

export const inputAt = async ({ seed, subject, number }: Place): Promise<Input> =>
  subjectNamed(subject).make(randomFrom(seed, subject, number));

/** `accepted`, or the code of the refusal. @throws what is a find */
export async function tryAt(place: Place): Promise<string> {
  const input = await inputAt(place);
  const { seed, subject, number } = place;
  return outcomeOf(() => subjectNamed(subject).check(input, randomFrom(seed, subject, number, 'reading')));
}
