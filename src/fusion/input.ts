import { Field, InputType } from 'type-graphql';
import { SCALARS } from '../kernel/index.js';

@InputType({ description: 'What to learn, and from which modalities. The purpose of use comes from the token.' })
export class TrainFusionInput {
  @Field(() => SCALARS.ID, { description: 'Name of the model: lower-case letters, digits, dots, dashes and underscores, at most 64.' })
  modelId!: string;
  @Field(() => SCALARS.String, { defaultValue: 'condition', description: 'Label view that gives the outcome.' })
  label!: string;
  @Field(() => SCALARS.String, { description: 'Which condition, event or result of the label view is meant.' })
  code!: string;
  @Field(() => [SCALARS.String], {
    nullable: true,
    description: 'Modalities; all but CLINICAL, which most outcomes are made of, when left out.',
  })
  modalities?: string[] | null;
  @Field(() => SCALARS.Int, { defaultValue: 7, description: 'Seed; the same data and seed give the same model.' })
  seed!: number;
}

@InputType({ description: 'Whom to score, with what. The purpose of use comes from the token.' })
export class RunFusionInput {
  @Field(() => SCALARS.ID, { description: 'Name of the model.' })
  modelId!: string;
  @Field(() => SCALARS.String, { nullable: true, description: 'Version; the newest when left out.' })
  modelVersion?: string | null;
  @Field(() => [SCALARS.ID], { description: 'Persons, 1 to 10,000.' })
  patientIds!: string[];
  @Field(() => [SCALARS.String], { nullable: true, description: 'Use no modalities but these; all of the model when left out.' })
  modalities?: string[] | null;
  @Field(() => SCALARS.Boolean, { defaultValue: false, description: 'Whether to give the share of each modality.' })
  explain!: boolean;
  @Field(() => SCALARS.Float, { defaultValue: 0.9, description: 'Level of the label sets, from 0.5 to 0.999.' })
  level!: number;
}
