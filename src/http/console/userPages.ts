/** Everything that the console shows and does about users. */
import type { AreaPage } from '../kit/area.ts'
import { newUserPages } from './newUser.ts'
import { type UserCredentialsNeeds, userCredentialsPages } from './userCredentials.ts'
import { type UserCustomDataNeeds, userCustomDataPages } from './userCustomData.ts'
import { type UserHistoryNeeds, userHistoryPages } from './userHistory.ts'
import { type UserIdentitiesNeeds, userIdentitiesPages } from './userIdentities.ts'
import { userMetadataPages } from './userMetadata.ts'
import { type UserMetadataEntryNeeds, userMetadataEntryPages } from './userMetadataEntry.ts'
import { userMetadataPastePages } from './userMetadataPaste.ts'
import { userOverviewPages } from './userOverview.ts'
import { type UserPasswordNeeds, userPasswordPages } from './userPassword.ts'
import { type UserPreviewNeeds, userPreviewPages } from './userPreview.ts'
import { userProfilePages } from './userProfile.ts'
import { userRightsPages } from './userRights.ts'
import { type UserRolesNeeds, userRolesPages } from './userRoles.ts'
import { type UserSessionsNeeds, userSessionsPages } from './userSessions.ts'
import { userStatePages } from './userState.ts'
import { type UsersNeeds, usersPages } from './users.ts'

/** What the pages about users need. */
export type AboutUsers = UsersNeeds &
  UserPasswordNeeds &
  UserRolesNeeds &
  UserSessionsNeeds &
  UserCredentialsNeeds &
  UserIdentitiesNeeds &
  UserHistoryNeeds &
  UserMetadataEntryNeeds &
  UserPreviewNeeds &
  UserCustomDataNeeds

export const userPages = (needs: AboutUsers): readonly AreaPage[] => [
  ...usersPages(needs),
  ...newUserPages(needs),
  ...userOverviewPages(needs),
  ...userProfilePages(needs),
  ...userStatePages(needs),
  ...userPasswordPages(needs),
  ...userRolesPages(needs),
  ...userRightsPages(needs),
  ...userSessionsPages(needs),
  ...userCredentialsPages(needs),
  ...userIdentitiesPages(needs),
  ...userHistoryPages(needs),
  ...userMetadataPages(needs),
  ...userMetadataPastePages(needs),
  ...userMetadataEntryPages(needs),
  ...userPreviewPages(needs),
  ...userCustomDataPages(needs),
]
