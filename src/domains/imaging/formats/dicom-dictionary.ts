/**
 * The part of the DICOM data dictionary (PS3.6 section 6) that headers are read by: tag, VR, keyword.
 * Sequences and bulk data are absent on purpose. 'US or SS' elements are listed as US.
 */
const TABLE = `
00080005 CS SpecificCharacterSet|00080008 CS ImageType|00080012 DA InstanceCreationDate|00080013 TM InstanceCreationTime
00080016 UI SOPClassUID|00080018 UI SOPInstanceUID|00080020 DA StudyDate|00080021 DA SeriesDate|00080022 DA AcquisitionDate
00080023 DA ContentDate|0008002A DT AcquisitionDateTime|00080030 TM StudyTime|00080031 TM SeriesTime|00080032 TM AcquisitionTime
00080033 TM ContentTime|00080050 SH AccessionNumber|00080054 AE RetrieveAETitle|00080060 CS Modality|00080061 CS ModalitiesInStudy
00080064 CS ConversionType|00080068 CS PresentationIntentType|00080070 LO Manufacturer|00080080 LO InstitutionName
00080081 ST InstitutionAddress|00080090 PN ReferringPhysicianName|00080201 SH TimezoneOffsetFromUTC|00081010 SH StationName
00081030 LO StudyDescription|0008103E LO SeriesDescription|00081040 LO InstitutionalDepartmentName|00081048 PN PhysiciansOfRecord
00081050 PN PerformingPhysicianName|00081060 PN NameOfPhysiciansReadingStudy|00081070 PN OperatorsName
00081080 LO AdmittingDiagnosesDescription|00081090 LO ManufacturerModelName|00082111 ST DerivationDescription
00082142 IS StartTrim|00082143 IS StopTrim|00082144 IS RecommendedDisplayFrameRate|00089205 CS PixelPresentation
00089206 CS VolumetricProperties|00089207 CS VolumeBasedCalculationTechnique|00100010 PN PatientName|00100020 LO PatientID
00100021 LO IssuerOfPatientID|00100022 CS TypeOfPatientID|00100030 DA PatientBirthDate|00100032 TM PatientBirthTime
00100040 CS PatientSex|00101000 LO OtherPatientIDs|00101001 PN OtherPatientNames|00101010 AS PatientAge|00101020 DS PatientSize
00101030 DS PatientWeight|00101040 LO PatientAddress|00102000 LO MedicalAlerts|00102110 LO Allergies|00102154 SH PatientTelephoneNumbers
00102160 SH EthnicGroup|00102180 SH Occupation|001021A0 CS SmokingStatus|001021B0 LT AdditionalPatientHistory
001021C0 US PregnancyStatus|00104000 LT PatientComments|00120010 LO ClinicalTrialSponsorName|00120020 LO ClinicalTrialProtocolID
00120040 LO ClinicalTrialSubjectID|00120062 CS PatientIdentityRemoved|00120063 LO DeidentificationMethod
00180010 LO ContrastBolusAgent|00180015 CS BodyPartExamined|00180020 CS ScanningSequence|00180021 CS SequenceVariant
00180022 CS ScanOptions|00180023 CS MRAcquisitionType|00180024 SH SequenceName|00180040 IS CineRate|00180050 DS SliceThickness
00180060 DS KVP|00180080 DS RepetitionTime|00180081 DS EchoTime|00180082 DS InversionTime|00180083 DS NumberOfAverages
00180084 DS ImagingFrequency|00180085 SH ImagedNucleus|00180086 IS EchoNumbers|00180087 DS MagneticFieldStrength
00180088 DS SpacingBetweenSlices|00180089 IS NumberOfPhaseEncodingSteps|00180090 DS DataCollectionDiameter|00180091 IS EchoTrainLength
00180093 DS PercentSampling|00180094 DS PercentPhaseFieldOfView|00180095 DS PixelBandwidth|00181000 LO DeviceSerialNumber
00181002 UI DeviceUID|00181008 LO GantryID|00181016 LO SecondaryCaptureDeviceManufacturer
00181018 LO SecondaryCaptureDeviceManufacturerModelName|00181019 LO SecondaryCaptureDeviceSoftwareVersions|00181020 LO SoftwareVersions
00181030 LO ProtocolName|00181040 LO ContrastBolusRoute|00181041 DS ContrastBolusVolume|00181050 DS SpatialResolution
00181060 DS TriggerTime|00181063 DS FrameTime|00181088 IS HeartRate|00181100 DS ReconstructionDiameter
00181110 DS DistanceSourceToDetector|00181111 DS DistanceSourceToPatient|00181120 DS GantryDetectorTilt|00181130 DS TableHeight
00181140 CS RotationDirection|00181150 IS ExposureTime|00181151 IS XRayTubeCurrent|00181152 IS Exposure|00181153 IS ExposureInuAs
00181160 SH FilterType|00181164 DS ImagerPixelSpacing|00181170 IS GeneratorPower|00181190 DS FocalSpots|00181200 DA DateOfLastCalibration
00181201 TM TimeOfLastCalibration|00181210 SH ConvolutionKernel|00181250 SH ReceiveCoilName|00181251 SH TransmitCoilName
00181310 US AcquisitionMatrix|00181312 CS InPlanePhaseEncodingDirection|00181314 DS FlipAngle|00181315 CS VariableFlipAngleFlag
00181316 DS SAR|00181318 DS dBdt|00185100 CS PatientPosition|00185101 CS ViewPosition|00189087 FD DiffusionBValue
00189311 FD SpiralPitchFactor|00189345 FD CTDIvol|0020000D UI StudyInstanceUID|0020000E UI SeriesInstanceUID|00200010 SH StudyID
00200011 IS SeriesNumber|00200012 IS AcquisitionNumber|00200013 IS InstanceNumber|00200020 CS PatientOrientation
00200032 DS ImagePositionPatient|00200037 DS ImageOrientationPatient|00200052 UI FrameOfReferenceUID|00200060 CS Laterality
00200062 CS ImageLaterality|00200100 IS TemporalPositionIdentifier|00200105 IS NumberOfTemporalPositions
00201002 IS ImagesInAcquisition|00201040 LO PositionReferenceIndicator|00201041 DS SliceLocation
00201206 IS NumberOfStudyRelatedSeries|00201208 IS NumberOfStudyRelatedInstances|00204000 LT ImageComments
00280002 US SamplesPerPixel|00280004 CS PhotometricInterpretation|00280006 US PlanarConfiguration|00280008 IS NumberOfFrames
00280010 US Rows|00280011 US Columns|00280030 DS PixelSpacing|00280034 IS PixelAspectRatio|00280051 CS CorrectedImage
00280100 US BitsAllocated|00280101 US BitsStored|00280102 US HighBit|00280103 US PixelRepresentation
00280106 US SmallestImagePixelValue|00280107 US LargestImagePixelValue|00280120 US PixelPaddingValue|00280301 CS BurnedInAnnotation
00280302 CS RecognizableVisualFeatures|00281050 DS WindowCenter|00281051 DS WindowWidth|00281052 DS RescaleIntercept
00281053 DS RescaleSlope|00281054 LO RescaleType|00281055 LO WindowCenterWidthExplanation|00282110 CS LossyImageCompression
00282112 DS LossyImageCompressionRatio|00282114 CS LossyImageCompressionMethod|00321032 PN RequestingPhysician
00321060 LO RequestedProcedureDescription|00400244 DA PerformedProcedureStepStartDate|00400245 TM PerformedProcedureStepStartTime
00400253 SH PerformedProcedureStepID|00400254 LO PerformedProcedureStepDescription|0040A491 CS CompletionFlag
0040A493 CS VerificationFlag|00700080 CS ContentLabel|00700081 LO ContentDescription|00700084 PN ContentCreatorName
20500020 CS PresentationLUTShape|30020002 SH RTImageLabel|30040002 CS DoseUnits|30040004 CS DoseType|30040006 LO DoseComment
3004000A CS DoseSummationType|3004000E DS DoseGridScaling|30060002 SH StructureSetLabel|30060008 DA StructureSetDate
300A0002 SH RTPlanLabel|300A0003 LO RTPlanName|300A0006 DA RTPlanDate|300A000A CS PlanIntent|300A000C CS RTPlanGeometry`;

export interface DictionaryEntry {
  readonly vr: string;
  readonly keyword: string;
}

function load(): ReadonlyMap<string, DictionaryEntry> {
  const entries = new Map<string, DictionaryEntry>();
  for (const entry of TABLE.trim().split(/[|\n]/)) {
    const [tag = '', vr = '', keyword = ''] = entry.split(' ');
    entries.set(`x${tag.toLowerCase()}`, { vr, keyword });
  }
  return entries;
}

/** Entries by tag in the engine's spelling: 'x' and eight lower-case hex digits. */
export const DICTIONARY: ReadonlyMap<string, DictionaryEntry> = load();

/** 'x00100010' as '0010,0010'. */
export function tagText(tag: string): string {
  return `${tag.slice(1, 5)},${tag.slice(5)}`;
}

/** Where a fault lies, as PS3.5 writes tags: 'tag (0010,0010)'. */
export function tagPlace(tag: string): string {
  return `tag (${tagText(tag)})`;
}
